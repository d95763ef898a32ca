"""Present the cookie that the responder asked for. RFC 7296, 2.6."""

from __future__ import annotations

from isthmus.engine.exchange import Draft, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.wire.registry import NotifyType


class PresentCookie(Step[Handshake]):
    """It stands first in the message; admission has verified it before this exchange exists for a responder."""

    def write(self, leg: int, draft: Draft) -> None:
        if leg == 0 and self.context.cookie:
            draft.notify(NotifyType.COOKIE, self.context.cookie)
