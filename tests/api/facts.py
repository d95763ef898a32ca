"""Events as the engine tells them."""

from __future__ import annotations

from isthmus.events.child import ChildInstalled
from isthmus.events.ike import FailureReason, IkeEstablished, IkeRekeyed, NegotiationFailed, RetryScheduled
from isthmus.events.message import DatagramDropped, Retransmitted, Trigger
from isthmus.model.address import Endpoint
from tests.api.fakes import HERE, NOW, THERE

HERE_500 = Endpoint(HERE, 500)
THERE_500 = Endpoint(THERE, 500)
IKE = "0102030405060708:090a0b0c0d0e0f10"


def established(peer: str = "branch", took: float = 0.04) -> IkeEstablished:
    return IkeEstablished(
        at=NOW,
        peer=peer,
        ike=IKE,
        role="initiator",
        suite="aes-128-cbc/sha1/sha256/group14",
        local_id="fqdn:hq.example",
        remote_id="fqdn:branch.example",
        local=HERE_500,
        remote=THERE_500,
        took=took,
    )


def failed(
    reason: FailureReason = FailureReason.NO_PROPOSAL_CHOSEN,
    child: str | None = None,
    role: str = "initiator",
    peer: str | None = "branch",
) -> NegotiationFailed:
    return NegotiationFailed(
        at=NOW,
        peer=peer,
        ike=IKE,
        stage="IKE_SA_INIT",
        role=role,
        reason=reason,
        child=child,
        they_said=("NO_PROPOSAL_CHOSEN",),
        we_said=("aes-256-gcm/prf-sha384/group20",),
    )


def installed(child: str = "branch:lan", *, replaces: int | None = None) -> ChildInstalled:
    return ChildInstalled(
        at=NOW,
        peer="branch",
        ike=IKE,
        child=child,
        spi_in=0xC94D2F01,
        spi_out=0x01A3B9D2,
        suite="aes-256-gcm/group20",
        local_ts=("10.1.0.0/16",),
        remote_ts=("10.2.0.0/16", "10.9.0.0/24[tcp/443]"),
        replaces=replaces,
    )


def repeated(attempt: int = 2) -> Retransmitted:
    return Retransmitted(at=NOW, peer="branch", ike=IKE, exchange="IKE_SA_INIT", message_id=0, attempt=attempt)


def retry() -> RetryScheduled:
    return RetryScheduled(at=NOW, peer="branch", wait=1.5)


def dropped() -> DatagramDropped:
    return DatagramDropped(at=NOW, remote=THERE_500, trigger=Trigger.MALFORMED, detail="too short")


def rekeyed() -> IkeRekeyed:
    return IkeRekeyed(at=NOW, peer="branch", ike=IKE, old="00:00", suite="aes-128-cbc/sha1/sha256/group14")
