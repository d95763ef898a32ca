"""INITIAL_CONTACT: we know of no other IKE SA with this peer. RFC 7296, 2.4."""

from __future__ import annotations

from isthmus.engine import contact
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.wire.registry import NotifyType


class ClaimContact(Step[Handshake]):
    """Stands after the proof, so that nobody unproved can take an SA down."""

    def write(self, leg: int, draft: Draft) -> None:
        sa = self.context.sa
        if leg == 0 and sa.peer is not None and not contact.others(sa):
            draft.notify(NotifyType.INITIAL_CONTACT)

    def read(self, leg: int, message: Inbound) -> None:
        if message.notify(NotifyType.INITIAL_CONTACT) is not None:
            contact.honour_claim(self.context.sa)
