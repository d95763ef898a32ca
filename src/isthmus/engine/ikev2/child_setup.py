"""What a Child SA knows only while it is being agreed, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.crypto.kex import KeyShare
from isthmus.engine.child_sa import ChildSa, ChildTerms
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.key_rounds import KeyRounds
from isthmus.engine.ikev2.keys import child_keys
from isthmus.model.algorithms import KeyExchangeMethod, Prf
from isthmus.model.plan import ChildPlan, TunnelPlan
from isthmus.model.proposal import Proposal, Protocol, Suite
from isthmus.model.quantities import InboundSpi, OutboundSpi
from isthmus.model.selectors import TrafficSelector

_NO_SPI_IN, _NO_SPI_OUT = InboundSpi(0), OutboundSpi(0)


@dataclass(slots=True)
class ChildSetup:
    """Shared by the steps of the exchange that makes a Child SA: IKE_AUTH or CREATE_CHILD_SA."""

    sa: IkeSa
    fresh: bool
    """Whether the exchange brings nonces, and perhaps a key exchange, of its own: CREATE_CHILD_SA."""
    began_here: bool
    tunnel: TunnelPlan | None = None
    child: ChildPlan | None = None
    """As replier both are found by what the peer offers."""
    packet: tuple[TrafficSelector, TrafficSelector] | None = None
    replaces: ChildSa | None = None
    spi_in: InboundSpi = _NO_SPI_IN
    spi_out: OutboundSpi = _NO_SPI_OUT
    offered: tuple[Proposal, ...] = ()
    method: KeyExchangeMethod | None = None
    share: KeyShare | None = None
    initiator_nonce: bytes = b""
    responder_nonce: bytes = b""
    shared: bytes = b""
    suite: Suite | None = None
    rounds: KeyRounds | None = None
    """Additional key exchanges, if any were agreed."""
    local_ts: tuple[TrafficSelector, ...] = ()
    remote_ts: tuple[TrafficSelector, ...] = ()

    @property
    def protocol(self) -> Protocol:
        """What is asked for, or was agreed on."""
        return self.suite.protocol if self.suite else self.offered[0].protocol if self.offered else Protocol.ESP

    @property
    def nonces(self) -> tuple[bytes, bytes]:
        """Those of CREATE_CHILD_SA."""
        return self.initiator_nonce, self.responder_nonce

    def make(self, prf: Prf, sk_d: bytes, nonces: tuple[bytes, bytes]) -> ChildSa:
        """Keys for what was agreed (RFC 7296, 2.17), and the Child SA: not yet in the data plane."""
        if self.suite is None or self.tunnel is None or self.child is None:
            raise ValueError("nothing was agreed")
        additional = self.rounds.additional if self.rounds else b""
        keys = child_keys(
            prf, sk_d, b"".join(nonces), self.suite.encryption, self.suite.integrity, self.shared, additional
        )
        terms = ChildTerms(
            suite=self.suite,
            spi_in=self.spi_in,
            spi_out=self.spi_out,
            local_ts=self.local_ts,
            remote_ts=self.remote_ts,
            keys_in=keys.from_replier if self.began_here else keys.from_requester,
            keys_out=keys.from_requester if self.began_here else keys.from_replier,
            nonces=nonces,
            began_here=self.began_here,
        )
        return ChildSa(self.sa, self.tunnel, self.child, terms)
