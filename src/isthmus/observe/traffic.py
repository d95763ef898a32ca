"""Traffic totals of each child, kept through rekeys: an SA's own counters end with it, a metric must not fall."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from isthmus.engine.views import ChildView
from isthmus.model.sa_spec import Direction, SaCounters, SaId


@dataclass(slots=True)
class Total:
    """What one child has carried in one direction since the gateway started."""

    packets: int = 0
    octets: int = 0


class TrafficTotals:
    """Adds up what SAs have carried between one look and the next.

    What an SA carries between the last look and its removal is not counted: look when a child is deleted,
    which is told before its SAs go.
    """

    def __init__(self, counters: Callable[[SaId], SaCounters]) -> None:
        self._counters = counters
        self._children: dict[SaId, str] = {}
        self._seen: dict[SaId, SaCounters] = {}
        self._totals: dict[tuple[str, Direction], Total] = {}

    def look(self, children: Iterable[ChildView]) -> None:
        """Counts what is new on each SA of these children, and of former ones whose inbound SA still receives."""
        present = {sa: child.name for child in children for sa in (child.inbound, child.outbound)}
        for sa, child in (self._children | present).items():
            now, before = self._counters(sa), self._seen.get(sa, SaCounters())
            if now.packets < before.packets:
                # Gone; or a later SA has the same SPI.
                before = SaCounters()
            total = self._totals.setdefault((child, sa.direction), Total())
            total.packets += now.packets - before.packets
            total.octets += now.octets - before.octets
            if sa in present or now.packets:
                self._children[sa], self._seen[sa] = child, now
            else:
                self._children.pop(sa, None)
                self._seen.pop(sa, None)

    def of(self, child: str, direction: Direction) -> Total:
        return self._totals.get((child, direction), Total())
