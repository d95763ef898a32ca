"""INITIAL_CONTACT: we know of no other IKE SA with this peer. RFC 7296, 2.4."""

from __future__ import annotations

from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.events.ike import PeerRebooted
from isthmus.wire.registry import NotifyType


class ClaimContact(Step[Handshake]):
    """Stands after the proof, so that nobody unproved can take an SA down."""

    def write(self, leg: int, draft: Draft) -> None:
        sa = self.context.sa
        if leg == 0 and sa.peer is not None and not self._others():
            draft.notify(NotifyType.INITIAL_CONTACT)

    def read(self, leg: int, message: Inbound) -> None:
        sa = self.context.sa
        if message.notify(NotifyType.INITIAL_CONTACT) is None:
            return
        # One that was established after this set-up began crossed it: the peer did not know of it when it wrote.
        others = [o for o in self._others() if o.remote_id == sa.remote_id and (o.established_at or 0.0) <= sa.begun_at]
        for other in others:
            other.delete_silently("the peer began anew (INITIAL_CONTACT)")
        if others:
            sa.ledger.emit(PeerRebooted(**sa.label(), replaced=len(others)))

    def _others(self) -> list[IkeSa]:
        sa = self.context.sa
        if sa.peer is None:
            return []
        return [o for o in sa.ledger.with_peer(sa.peer.name) if o is not sa and o.established]
