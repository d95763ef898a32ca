"""When the protocol says no: the notify that the peer gets, and what the operator gets."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.events.ike import FailureReason
from isthmus.wire.registry import NotifyType

_REASONS = {
    NotifyType.NO_PROPOSAL_CHOSEN: FailureReason.NO_PROPOSAL_CHOSEN,
    NotifyType.INVALID_KE_PAYLOAD: FailureReason.INVALID_KEY_EXCHANGE,
    NotifyType.AUTHENTICATION_FAILED: FailureReason.AUTHENTICATION_FAILED,
    NotifyType.TS_UNACCEPTABLE: FailureReason.SELECTORS_UNACCEPTABLE,
    NotifyType.NO_ADDITIONAL_SAS: FailureReason.NO_ADDITIONAL_SAS,
    NotifyType.TEMPORARY_FAILURE: FailureReason.TEMPORARY_FAILURE,
    NotifyType.CHILD_SA_NOT_FOUND: FailureReason.CHILD_SA_NOT_FOUND,
    NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD: FailureReason.UNSUPPORTED_CRITICAL_PAYLOAD,
    NotifyType.INVALID_SYNTAX: FailureReason.INVALID_SYNTAX,
    NotifyType.INVALID_MAJOR_VERSION: FailureReason.INVALID_MAJOR_VERSION,
}


@dataclass(frozen=True, slots=True)
class Report:
    """Both sides of a disagreement, for the journal: the peer gets the notify and nothing more."""

    reason: FailureReason
    they_said: tuple[str, ...] = ()
    we_said: tuple[str, ...] = ()
    detail: str = ""


class Refusal(Exception):
    """We refuse what the peer asked or answered."""

    def __init__(
        self,
        notify: NotifyType,
        data: bytes = b"",
        *,
        reason: FailureReason | None = None,
        they_said: tuple[str, ...] = (),
        we_said: tuple[str, ...] = (),
        detail: str = "",
    ) -> None:
        super().__init__(notify.name)
        self.notify = notify
        self.data = data
        self.report = Report(reason or reason_of(notify), they_said, we_said, detail)


def malformed(detail: str) -> Refusal:
    """RFC 7296, 2.21.3: the message makes no sense; only said where the peer is proved to have sent it."""
    return Refusal(NotifyType.INVALID_SYNTAX, detail=detail)


def reason_of(notify: NotifyType) -> FailureReason:
    """What an error notify means to an operator."""
    return _REASONS.get(notify, FailureReason.PEER_REFUSED)
