"""Say that we go where a gateway sends us, and hear where that is. RFC 5685, as client only."""

from __future__ import annotations

from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.steps.inform import Notice
from isthmus.engine.redirection import Redirect, decode_redirect
from isthmus.wire.registry import NotifyType


class AcceptRedirect(Step[Handshake]):
    """Who was sent here names the one who did, so that loops are seen."""

    def write(self, leg: int, draft: Draft) -> None:
        by = self.context.sa.redirected_by
        if leg == 0 and by is not None:
            draft.notify(NotifyType.REDIRECTED_FROM, Redirect(by).encode())
        elif leg == 0:
            draft.notify(NotifyType.REDIRECT_SUPPORTED)


class HearRedirect(Step[Notice]):
    """In the middle of an IKE SA: only the original responder sends elsewhere."""

    def read(self, leg: int, message: Inbound) -> None:
        if leg == 0 and self.context.sa.began_here:
            self.context.redirect = told_redirect(message)


def told_redirect(message: Inbound) -> Redirect | None:
    told = message.notify(NotifyType.REDIRECT)
    return decode_redirect(told.data) if told is not None else None
