"""Facts about single messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from isthmus.events.event import Event, Severity
from isthmus.model.address import Endpoint


class Trigger(StrEnum):
    """Why a datagram was dropped. One table for events, metrics and tests."""

    MALFORMED = "malformed"
    NOT_IKEV2 = "not-ikev2"
    UNKNOWN_SPI = "unknown-spi"
    UNKNOWN_PEER = "unknown-peer"
    UNEXPECTED_EXCHANGE = "unexpected-exchange"
    WRONG_DIRECTION = "wrong-direction"
    NOT_SEALED = "not-sealed"
    INTEGRITY_FAILED = "integrity-failed"
    OUTSIDE_WINDOW = "outside-window"
    NOT_EXPECTED = "not-expected"
    REFLECTED = "reflected"
    HALF_OPEN_LIMIT = "half-open-limit"
    ADDRESS_LIMIT = "address-limit"
    BAD_FRAGMENT = "bad-fragment"
    SHUTTING_DOWN = "shutting-down"
    UNPROTECTED_ERROR = "unprotected-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatagramDropped(Event):
    code: ClassVar[str] = "message.dropped"
    severity: ClassVar[Severity] = Severity.DEBUG
    story: ClassVar[str] = "Datagram from {remote} dropped: {trigger} {detail}, {count} times"

    remote: Endpoint
    trigger: Trigger
    detail: str = ""
    count: int = 1
    """How many with this trigger are told by this one event: at most one a second leaves the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retransmitted(Event):
    code: ClassVar[str] = "message.retransmitted"
    severity: ClassVar[Severity] = Severity.DEBUG
    story: ClassVar[str] = "{exchange} request {message_id} repeated, try {attempt}"

    exchange: str
    message_id: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CutSmaller(Event):
    """Silence made us send a message again in smaller pieces: the path may not carry larger packets."""

    code: ClassVar[str] = "message.cut-smaller"
    story: ClassVar[str] = "{exchange} with {peer} sent again as {fragments} fragments of at most {size} octets"

    exchange: str
    fragments: int
    size: int
    """Of an IP packet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownPayloadSkipped(Event):
    code: ClassVar[str] = "message.unknown-payload"
    severity: ClassVar[Severity] = Severity.DEBUG
    story: ClassVar[str] = "Payload of unknown type {type} skipped, as its critical bit is clear"

    type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageExchanged(Event):
    """One line of RFC notation for each message, for the journal and the simulation's transcript."""

    code: ClassVar[str] = "message.exchanged"
    severity: ClassVar[Severity] = Severity.DEBUG
    story: ClassVar[str] = "{direction} {notation}"

    direction: str
    """`-->` sent, `<--` received."""
    notation: str
