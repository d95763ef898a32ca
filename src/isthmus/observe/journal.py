"""The last events, kept in memory: for `show events`, and for finding out why."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import merge

from isthmus.events.event import Event, Severity
from isthmus.observe.fields import child_of

STORIES = 200
"""Events of severity info and above that are kept for each peer: weeks of a healthy tunnel, hours of a sick one."""

DETAILS = 100
"""Debug events kept for each peer: the messages of a dozen exchanges. A ring of their own, so that chatter
(a liveness check every five seconds, a flood of strange datagrams) cannot wash away what matters."""

RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, numbered in the order of recording."""

    number: int
    wall: float
    """Seconds since the epoch when it was recorded."""
    event: Event


@dataclass(frozen=True, slots=True)
class Query:
    """Which entries are wanted. None means any."""

    peer: str | None = None
    child: str | None = None
    """A child's name, or a tunnel's: then all its children."""
    ike: str | None = None
    code: str | None = None
    """`child.installed`, or the part before the dot for all of a kind."""
    severity: Severity = Severity.DEBUG
    """At least so severe."""
    since: float | None = None
    """Wall time."""
    after: int = 0
    """Entries with greater numbers only."""
    limit: int = 100
    """The newest so many."""

    def admits(self, entry: Entry) -> bool:
        event = entry.event
        return (
            entry.number > self.after
            and (self.since is None or entry.wall >= self.since)
            and RANK[event.severity] >= RANK[self.severity]
            and (self.peer is None or event.peer == self.peer)
            and (self.ike is None or event.ike == self.ike)
            and (self.code is None or self.code in (event.code, event.code.partition(".")[0]))
            and (self.child is None or _concerns(event, self.child))
        )


@dataclass(slots=True)
class _Rings:
    stories: deque[Entry] = field(default_factory=lambda: deque(maxlen=STORIES))
    details: deque[Entry] = field(default_factory=lambda: deque(maxlen=DETAILS))


class Journal:
    """Bounded rings of events: two for each peer, two for what belongs to none.

    Peers are configured names, so their number is bounded too, whatever strangers send.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._rings: dict[str | None, _Rings] = {}
        self._last = 0

    def record(self, event: Event) -> None:
        """Remembers the event, at the cost of the oldest of its ring."""
        self._last += 1
        rings = self._rings.get(event.peer) or self._rings.setdefault(event.peer, _Rings())
        ring = rings.details if event.severity is Severity.DEBUG else rings.stories
        ring.append(Entry(self._last, self._wall(), event))

    def entries(self, query: Query = Query()) -> tuple[Entry, ...]:
        """What matches, oldest first."""
        found = deque((e for e in self._ordered(query) if query.admits(e)), maxlen=query.limit)
        return tuple(found)

    @property
    def last(self) -> int:
        """The number of the newest entry; 0 before the first."""
        return self._last

    def _ordered(self, query: Query) -> Iterator[Entry]:
        if query.peer is not None:
            chosen = [self._rings[query.peer]] if query.peer in self._rings else []
        else:
            chosen = list(self._rings.values())
        rings = [ring for both in chosen for ring in (both.stories, both.details)]
        return merge(*rings, key=lambda entry: entry.number)


def _concerns(event: Event, wanted: str) -> bool:
    child = child_of(event)
    return child is not None and (child == wanted or child.partition(":")[0] == wanted)
