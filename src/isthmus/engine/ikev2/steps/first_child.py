"""Agree on the first Child SA within IKE_AUTH. RFC 7296, 1.2: if that fails, the IKE SA stands all the same."""

from __future__ import annotations

from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.child_setup import ChildSetup
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.steps.child import AgreeOnChild, what_we_said
from isthmus.engine.refusal import Refusal, malformed
from isthmus.wire.ikev2.payloads import SecurityAssociation


class AgreeOnFirstChild(Step[Handshake]):
    """The same concern as in CREATE_CHILD_SA, without nonces and key exchange of its own."""

    def __init__(self, context: Handshake) -> None:
        super().__init__(context)
        self._step: AgreeOnChild | None = None

    def write(self, leg: int, draft: Draft) -> None:
        handshake = self.context
        if leg == 0 and handshake.child is not None:
            self._step = AgreeOnChild(handshake.child)
        if handshake.child_refusal is not None:
            draft.notify(handshake.child_refusal.notify, handshake.child_refusal.data)
        elif self._step is not None:
            self._step.write(leg, draft)

    def read(self, leg: int, message: Inbound) -> None:
        handshake = self.context
        if leg == 0:
            if message.one(SecurityAssociation) is None:
                return  # RFC 6023: no child is wanted
            handshake.child = ChildSetup(handshake.sa, fresh=False, began_here=False)
            self._step = AgreeOnChild(handshake.child)
        if self._step is None:
            return
        error = message.error()
        if leg == 1 and error is not None:
            said = what_we_said(error.notify, handshake.child) if handshake.child is not None else ()
            handshake.child_refusal = Refusal(error.notify, they_said=(error.notify.name,), we_said=said)
            return
        try:
            if leg == 1 and message.one(SecurityAssociation) is None:
                raise malformed("an answer without a Child SA")
            self._step.read(leg, message)
        except Refusal as refusal:
            handshake.child_refusal, handshake.refused_here = refusal, leg == 1
