"""For how long the responder takes an authentication as good: said, and honoured. RFC 4478."""

from __future__ import annotations

from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.steps.inform import Notice
from isthmus.model.quantities import Seconds
from isthmus.wire.registry import NotifyType

_LARGEST = 2**32 - 1


class LimitAuthentication(Step[Handshake]):
    """Said in the response of IKE_AUTH: it is for the original initiator to authenticate again."""

    def write(self, leg: int, draft: Draft) -> None:
        peer = self.context.sa.peer
        lifetime = peer.profile.authentication_lifetime if peer is not None else None
        if leg == 1 and lifetime is not None:
            draft.notify(NotifyType.AUTH_LIFETIME, min(int(lifetime), _LARGEST).to_bytes(4, "big"))

    def read(self, leg: int, message: Inbound) -> None:
        if leg == 1:
            self.context.authenticated_for = told_lifetime(message)


class HonourNewLifetime(Step[Notice]):
    """Said later, in a request of the original responder."""

    def read(self, leg: int, message: Inbound) -> None:
        if leg == 0 and self.context.sa.began_here:
            self.context.authenticated_for = told_lifetime(message)


def told_lifetime(message: Inbound) -> Seconds | None:
    told = message.notify(NotifyType.AUTH_LIFETIME)
    return Seconds(float(int.from_bytes(told.data, "big"))) if told is not None else None
