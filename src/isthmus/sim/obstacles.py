"""Why something does not come up: what each end has, where that is written, and the nearest change at either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from isthmus.sim.attempt import Act
from isthmus.sim.pairing import Side

Path: TypeAlias = tuple[str, ...]
"""Of an option in the configuration: `("ike-gateways", "branch", "peer-id")`."""

NO_WAY_FOR_ESP = "no-way-for-esp"
"""IKE agrees on it all, and the packets would not arrive."""


@dataclass(frozen=True, slots=True)
class Position:
    """What one end has to say on the matter."""

    words: tuple[str, ...]
    paths: tuple[Path, ...]
    """Where it is written: the first of these that is."""


@dataclass(frozen=True, slots=True)
class Point:
    """One option on which the ends differ."""

    option: str
    ours: Position
    theirs: Position

    def of(self, side: Side) -> Position:
        return self.ours if side is Side.OURS else self.theirs


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change at one end that takes the obstacle away."""

    side: Side
    change: str
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One cause, however often the rehearsal met it."""

    title: str
    stage: str
    """The exchange that failed first."""
    act: Act
    reason: str
    """A `FailureReason`, or `NO_WAY_FOR_ESP`."""
    asker: Side
    points: tuple[Point, ...]
    remedies: tuple[Remedy, ...] = ()
    fits: tuple[str, ...] = ()
    """What else was to be agreed on, and was no obstacle."""
    begins: tuple[Side, ...] = ()
    """Whose calls met it."""
    blocks: tuple[tuple[Side, str], ...] = ()
    """Configured children that do not come up, or do not stay up, because of it."""
