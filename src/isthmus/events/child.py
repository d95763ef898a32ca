"""Facts about Child SAs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from isthmus.events.event import Event, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEvent(Event):
    child: str
    """`branch:lan`."""
    spi_in: int = 0
    spi_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildInstalled(ChildEvent):
    code: ClassVar[str] = "child.installed"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = (
        "Child SA {child} installed, in {spi_in:#010x}, out {spi_out:#010x}: {suite}, {local_ts} <-> {remote_ts}"
    )

    suite: str
    local_ts: tuple[str, ...]
    remote_ts: tuple[str, ...]
    replaces: int | None = None
    """The inbound SPI of the child that it succeeds; None for one that succeeds nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildDeleted(ChildEvent):
    code: ClassVar[str] = "child.deleted"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "Child SA {child} deleted, in {spi_in:#010x}, out {spi_out:#010x}: {reason}"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildNarrowed(ChildEvent):
    code: ClassVar[str] = "child.narrowed"
    story: ClassVar[str] = "Child SA {child} is narrower than configured: {local_ts} <-> {remote_ts}"

    local_ts: tuple[str, ...]
    remote_ts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildExpired(ChildEvent):
    code: ClassVar[str] = "child.expired"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = "Child SA {child} reached its {limit} and carries nothing any more"

    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateChild(ChildEvent):
    code: ClassVar[str] = "child.duplicate"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = "Child SA {child} has a twin with the same selectors; the older one is deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquireIgnored(ChildEvent):
    code: ClassVar[str] = "child.acquire-ignored"
    severity: ClassVar[Severity] = Severity.DEBUG
    story: ClassVar[str] = "A packet wants {child}: {why}"

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RekeyCollision(ChildEvent):
    code: ClassVar[str] = "child.rekey-collision"
    story: ClassVar[str] = "Both ends rekeyed {child} at once; {winner} successor stays"

    winner: str
