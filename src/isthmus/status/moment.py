"""One moment on two clocks: the engine counts monotonic seconds, people read a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from isthmus.model.quantities import Instant


@dataclass(frozen=True, slots=True)
class Moment:
    now: Instant
    wall: float
    """Seconds since the epoch at `now`."""

    def wall_of(self, instant: Instant) -> float:
        return self.wall + (instant - self.now)

    def iso(self, instant: Instant) -> str:
        """ISO 8601 in UTC, whole seconds."""
        return iso(self.wall_of(instant))

    def until(self, instant: Instant | None) -> int | None:
        """Whole seconds left; 0 for what is due."""
        return None if instant is None else max(0, round(instant - self.now))


def iso(wall: float) -> str:
    """ISO 8601 in UTC, whole seconds."""
    return datetime.fromtimestamp(round(wall), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
