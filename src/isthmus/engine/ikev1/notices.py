"""Refusals in the words of version 1, and the peer's words as reasons."""

from __future__ import annotations

from isthmus.engine.refusal import Refusal
from isthmus.events.ike import FailureReason
from isthmus.wire import registry as v2
from isthmus.wire.ikev1.registry import NotifyType

_SAID = {
    v2.NotifyType.NO_PROPOSAL_CHOSEN: NotifyType.NO_PROPOSAL_CHOSEN,
    v2.NotifyType.AUTHENTICATION_FAILED: NotifyType.AUTHENTICATION_FAILED,
    v2.NotifyType.TS_UNACCEPTABLE: NotifyType.INVALID_ID_INFORMATION,
    v2.NotifyType.INVALID_KE_PAYLOAD: NotifyType.INVALID_KEY_INFORMATION,
    v2.NotifyType.INVALID_SYNTAX: NotifyType.PAYLOAD_MALFORMED,
}
_MEANT = {
    NotifyType.NO_PROPOSAL_CHOSEN: FailureReason.NO_PROPOSAL_CHOSEN,
    NotifyType.BAD_PROPOSAL_SYNTAX: FailureReason.NO_PROPOSAL_CHOSEN,
    NotifyType.ATTRIBUTES_NOT_SUPPORTED: FailureReason.NO_PROPOSAL_CHOSEN,
    NotifyType.INVALID_KEY_INFORMATION: FailureReason.INVALID_KEY_EXCHANGE,
    NotifyType.INVALID_ID_INFORMATION: FailureReason.SELECTORS_UNACCEPTABLE,
    NotifyType.AUTHENTICATION_FAILED: FailureReason.AUTHENTICATION_FAILED,
    NotifyType.INVALID_HASH_INFORMATION: FailureReason.AUTHENTICATION_FAILED,
    NotifyType.PAYLOAD_MALFORMED: FailureReason.INVALID_SYNTAX,
    NotifyType.INVALID_MAJOR_VERSION: FailureReason.INVALID_MAJOR_VERSION,
}


def notify_of(refusal: Refusal) -> NotifyType:
    """What the peer is told."""
    return _SAID.get(refusal.notify, NotifyType.INVALID_PAYLOAD_TYPE)


def reason_of(notify: NotifyType, *, phase_one: bool = False) -> FailureReason:
    """What an error of the peer means to an operator."""
    if phase_one and notify == NotifyType.INVALID_ID_INFORMATION:
        return FailureReason.IDENTITY_MISMATCH
    return _MEANT.get(notify, FailureReason.PEER_REFUSED)
