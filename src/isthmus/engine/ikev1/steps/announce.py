"""Announce what we can, by vendor IDs. RFC 3947, 3.1; RFC 3706, 5.1."""

from __future__ import annotations

from isthmus.engine import vendors
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev1.handshake import Handshake
from isthmus.engine.nat import USER_SPACE_UDP
from isthmus.events.ike import VendorsAnnounced
from isthmus.model.plan import Encapsulation
from isthmus.wire.ikev1.payloads import VendorId
from isthmus.wire.ikev1.registry import PayloadType


class Announce(Step[Handshake]):
    """The responder answers with what both can."""

    def write(self, leg: int, draft: Draft) -> None:
        handshake = self.context
        if not handshake.says(leg, PayloadType.SA):
            self._begin_to_cut()
            return
        peer, begin = handshake.peer, leg == 0
        if peer.nat_traversal.enabled:
            if begin:
                draft.add(*map(VendorId, (vendors.NAT_T, *vendors.NAT_T_DRAFTS)))
            elif handshake.peer_knows_nat:
                draft.add(VendorId(self._common_nat_t()))
        if handshake.plan.dpd.enabled and (begin or handshake.peer_knows_dpd):
            draft.add(VendorId(vendors.DPD))
        if peer.fragmentation.enabled and (begin or handshake.peer_fragments):
            draft.add(VendorId(vendors.FRAGMENTATION))
        if peer.encapsulation is Encapsulation.AUTO and (begin or USER_SPACE_UDP in handshake.vendors):
            draft.add(VendorId(USER_SPACE_UDP))

    def read(self, leg: int, message: Inbound) -> None:
        handshake, sa = self.context, self.context.channel.sa
        if not handshake.says(leg, PayloadType.SA):
            return
        announced = [v.data for v in message.all(VendorId)]
        handshake.vendors = frozenset(announced)
        handshake.peer_knows_dpd = vendors.DPD in announced
        handshake.peer_fragments = any(v.startswith(vendors.FRAGMENTATION) for v in announced)
        handshake.peer_knows_nat = bool(handshake.vendors & {vendors.NAT_T, *vendors.NAT_T_DRAFTS})
        handshake.nat_by_draft = vendors.NAT_T not in announced
        sa.vendors = vendors.names_of(announced)
        if sa.vendors:
            sa.ledger.emit(VendorsAnnounced(**sa.label(), vendors=sa.vendors))
        if sa.began_here:
            self._begin_to_cut()

    def _begin_to_cut(self) -> None:
        """Both have announced it, and know of each other: what is large may come in pieces, the proofs above all."""
        handshake = self.context
        if handshake.peer_fragments and handshake.peer.fragmentation.enabled:
            handshake.channel.packet_limit = handshake.peer.fragmentation.size

    def _common_nat_t(self) -> bytes:
        announced = self.context.vendors
        return next(v for v in (vendors.NAT_T, *vendors.NAT_T_DRAFTS) if v in announced)
