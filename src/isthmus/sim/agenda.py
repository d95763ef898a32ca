"""Virtual time: what is due, and when."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from isthmus.model.quantities import Instant, Seconds

Action = Callable[[], None]


class Agenda:
    """Actions in order of time; those of one instant in the order in which they were asked for."""

    def __init__(self) -> None:
        self.now = Instant(0.0)
        self._entries: list[tuple[Instant, int, Action]] = []
        self._turn = 0

    def at(self, instant: Instant, action: Action) -> None:
        """Time never runs backwards: what is due in the past is due now."""
        self._turn += 1
        heapq.heappush(self._entries, (max(instant, self.now), self._turn, action))

    def after(self, delay: Seconds, action: Action) -> None:
        self.at(Instant(self.now + delay), action)

    @property
    def due(self) -> Instant | None:
        """When the next action is due."""
        return self._entries[0][0] if self._entries else None

    def take(self) -> Action:
        """The next action, with the clock set to its time."""
        self.now, _, action = heapq.heappop(self._entries)
        return action

    def advance(self, instant: Instant) -> None:
        """Sets the clock for something that is due outside the agenda, such as a timer of a site."""
        self.now = max(self.now, instant)
