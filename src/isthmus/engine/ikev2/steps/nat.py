"""Detect NAT. RFC 7296, 2.23."""

from __future__ import annotations

from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.nat import detection_hash
from isthmus.model.plan import Encapsulation, PeerPlan
from isthmus.model.quantities import NO_SPI, IkeSpi
from isthmus.wire.registry import NotifyType


class DetectNat(Step[Handshake]):
    """Each end sends hashes of the endpoints as it sees them; where they differ, a NAT is between."""

    def write(self, leg: int, draft: Draft) -> None:
        sa, peer = self.context.sa, self._peer
        if not peer.nat_traversal.enabled or (leg == 1 and not self.context.peer_knows_nat):
            return
        spis = sa.initiator_spi, (NO_SPI if leg == 0 else sa.responder_spi)
        source = detection_hash(*spis, sa.local)
        if peer.encapsulation is Encapsulation.UDP:
            source = sa.ledger.entropy.octets(len(source))  # looks like a NAT to any peer, so that it encapsulates
        draft.notify(NotifyType.NAT_DETECTION_SOURCE_IP, source)
        draft.notify(NotifyType.NAT_DETECTION_DESTINATION_IP, detection_hash(*spis, sa.remote))

    def read(self, leg: int, message: Inbound) -> None:
        sa = self.context.sa
        sources = [n.data for n in message.notifies() if n.notify == NotifyType.NAT_DETECTION_SOURCE_IP]
        targets = [n.data for n in message.notifies() if n.notify == NotifyType.NAT_DETECTION_DESTINATION_IP]
        if not self._peer.nat_traversal.enabled or not sources or not targets:
            return
        self.context.peer_knows_nat = True
        spis: tuple[IkeSpi, IkeSpi] = sa.initiator_spi, (NO_SPI if leg == 0 else sa.responder_spi)
        sa.nat.remote = detection_hash(*spis, sa.remote) not in sources
        sa.nat.local = detection_hash(*spis, sa.local) not in targets

    @property
    def _peer(self) -> PeerPlan:
        return self.context.sa.peer or self.context.candidates[0]
