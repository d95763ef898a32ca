"""All deadlines of a gateway in one agenda; the next one is its head."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from isthmus.model.quantities import Instant


class Deadline(Enum):
    """What can fall due."""

    REPEAT_REQUEST = auto()
    HALF_OPEN_ENDS = auto()
    PROBE_PEER = auto()
    KEEP_NAT_OPEN = auto()
    REKEY = auto()
    REAUTHENTICATE = auto()
    AUTHENTICATION_ENDS = auto()
    EXPIRE = auto()
    GRACE_ENDS = auto()
    TWIN_ENDS = auto()
    BEGIN_TO_SEND = auto()
    NEXT_INTENTION = auto()
    RECONNECT = auto()
    RESOLVE_AGAIN = auto()
    PREFER_AGAIN = auto()
    NEW_COOKIE_SECRET = auto()
    TELL_WITHHELD = auto()


class Owner(Protocol):
    """Whoever has deadlines."""

    def due(self, what: Deadline) -> None: ...


@dataclass(slots=True)
class _Entry:
    at: float
    owner: Owner | None
    what: Deadline


class Agenda:
    """A heap with replacement: setting a deadline again moves it; what was cancelled is skipped when it surfaces."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Entry]] = []
        """Each with its time and its turn, which decide by themselves."""
        self._entries: dict[tuple[int, Deadline], _Entry] = {}
        self._order = 0

    def set(self, owner: Owner, what: Deadline, at: Instant) -> None:
        self.cancel(owner, what)
        self._order += 1
        entry = self._entries[id(owner), what] = _Entry(at, owner, what)
        heapq.heappush(self._heap, (at, self._order, entry))

    def cancel(self, owner: Owner, what: Deadline) -> None:
        entry = self._entries.pop((id(owner), what), None)
        if entry is not None:
            entry.owner = None

    def forget(self, owner: Owner) -> None:
        """Cancels whatever an owner had."""
        for what in Deadline:
            self.cancel(owner, what)

    def at(self, owner: Owner, what: Deadline) -> Instant | None:
        """When a deadline of an owner falls due, if it is set."""
        entry = self._entries.get((id(owner), what))
        return Instant(entry.at) if entry is not None else None

    def next(self) -> Instant | None:
        while self._heap and self._heap[0][2].owner is None:
            heapq.heappop(self._heap)
        return Instant(self._heap[0][0]) if self._heap else None

    def take_due(self, now: Instant) -> Iterator[tuple[Owner, Deadline]]:
        """Those that are due, in order, each removed before it is handed out."""
        while (head := self.next()) is not None and head <= now:
            _, _, entry = heapq.heappop(self._heap)
            owner = entry.owner
            if owner is not None:
                del self._entries[id(owner), entry.what]
                yield owner, entry.what

    def __len__(self) -> int:
        return len(self._entries)
