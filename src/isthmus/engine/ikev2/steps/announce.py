"""Announce what we can: the extensions that need both ends. RFC 7383, 2.3; RFC 6023, 3."""

from __future__ import annotations

from isthmus.engine import vendors
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.nat import USER_SPACE_UDP
from isthmus.model.plan import Encapsulation
from isthmus.wire.ikev2.payloads import VendorId
from isthmus.wire.registry import NotifyType


class Announce(Step[Handshake]):
    def write(self, leg: int, draft: Draft) -> None:
        handshake = self.context
        peer = handshake.sa.peer or handshake.candidates[0]
        if peer.fragmentation.enabled and (leg == 0 or handshake.peer_fragments):
            draft.notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED)
        if peer.encapsulation is Encapsulation.AUTO and (leg == 0 or handshake.peer_is_isthmus):
            draft.add(VendorId(USER_SPACE_UDP))
        if leg == 1:
            draft.notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED)

    def read(self, leg: int, message: Inbound) -> None:
        handshake = self.context
        handshake.peer_fragments = message.notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED) is not None
        handshake.childless = message.notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED) is not None
        announced = [payload.data for payload in message.all(VendorId)]
        handshake.peer_is_isthmus = USER_SPACE_UDP in announced
        handshake.sa.vendors = vendors.names_of(announced)
