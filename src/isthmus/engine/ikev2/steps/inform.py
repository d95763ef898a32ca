"""Inform: delete SAs, tell of errors, or say nothing to prove that one lives. RFC 7296, 1.4 and 2.25."""

from __future__ import annotations

from dataclasses import dataclass, field

from isthmus.engine.child_sa import ChildSa
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.nat import NatSituation
from isthmus.engine.redirection import Redirect
from isthmus.engine.states import ChildLife
from isthmus.model.address import Address, Endpoint
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import InboundSpi, OutboundSpi, Seconds
from isthmus.wire.ikev2.payloads import Delete
from isthmus.wire.registry import NotifyType

_SPI_SIZE = 4


@dataclass(slots=True)
class Notice:
    """What one INFORMATIONAL exchange is about. All empty: a liveness check."""

    sa: IkeSa
    deletes: tuple[tuple[Protocol, InboundSpi], ...] = ()
    """Requester: the inbound SPIs whose deletion is announced."""
    ends_ike: bool = False
    error: NotifyType | None = None
    gone: list[ChildSa] = field(default_factory=list)
    """Replier: whose deletion was announced."""
    moves: bool = False
    """MOBIKE: the original initiator says which addresses are used."""
    detects_nat: bool = False
    nat: NatSituation | None = None
    """What the peer's message tells of it."""
    cookie: bytes = b""
    """COOKIE2: to be sent back."""
    cookie_came_back: bool = False
    addresses: tuple[Address, ...] | None = None
    """Where else the requester may be found."""
    authenticated_for: Seconds | None = None
    """Replier: how long our authentication is taken as good from now on."""
    redirect: Redirect | None = None
    """Replier: where we are sent."""
    path: tuple[Endpoint, Endpoint] | None = None
    """Local and remote endpoint of the peer's message."""


class Inform(Step[Notice]):
    def write(self, leg: int, draft: Draft) -> None:
        notice = self.context
        if leg == 0:
            if notice.error is not None:
                draft.notify(notice.error)
            if notice.ends_ike:
                draft.add(Delete(Protocol.IKE, ()))
            else:
                self._delete(draft, notice.deletes)
        elif not notice.ends_ike:
            # RFC 7296, 2.25.1: an SA that we are closing ourselves is not deleted once more in the answer.
            gone = (c for c in notice.gone if c.life not in (ChildLife.DELETING, ChildLife.DRAINING))
            self._delete(draft, tuple((_protocol(c), c.terms.spi_in) for c in gone))

    def read(self, leg: int, message: Inbound) -> None:
        if leg == 1:
            return
        notice = self.context
        for delete in message.all(Delete):
            if delete.protocol == Protocol.IKE:
                notice.ends_ike = True
            elif delete.protocol in (Protocol.ESP, Protocol.AH):
                self._find(delete)

    def _find(self, delete: Delete) -> None:
        """The SPIs are those that the peer receives on: our outbound ones. Those of other IKE SAs are not believed."""
        by_spi = {c.terms.spi_out: c for c in self.context.sa.children.values() if _protocol(c) == delete.protocol}
        for octets in delete.spis:
            child = by_spi.pop(OutboundSpi(int.from_bytes(octets, "big")), None) if len(octets) == _SPI_SIZE else None
            if child is not None:
                self.context.gone.append(child)

    def _delete(self, draft: Draft, deletes: tuple[tuple[Protocol, InboundSpi], ...]) -> None:
        for protocol in dict.fromkeys(protocol for protocol, _ in deletes):
            spis = (spi.to_bytes(_SPI_SIZE, "big") for p, spi in deletes if p == protocol)
            draft.add(Delete(protocol, tuple(spis)))


def _protocol(child: ChildSa) -> Protocol:
    return child.terms.suite.protocol
