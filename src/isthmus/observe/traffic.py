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

    What an SA carries after the last look at it is not counted once it is gone: look when a child changes.
    """

    def __init__(self, counters: Callable[[SaId], SaCounters]) -> None:
        self._counters = counters
        self._seen: dict[SaId, SaCounters] = {}
        self._totals: dict[tuple[str, Direction], Total] = {}

    def look(self, children: Iterable[ChildView]) -> None:
        """Counts what is new on each SA of these children, which are all there are."""
        present: dict[SaId, SaCounters] = {}
        for child in children:
            for sa in (child.inbound, child.outbound):
                present[sa] = now = self._counters(sa)
                before = self._seen.get(sa, SaCounters())
                if now.packets < before.packets:
                    # A later SA with the same SPI.
                    before = SaCounters()
                total = self._totals.setdefault((child.name, sa.direction), Total())
                total.packets += now.packets - before.packets
                total.octets += now.octets - before.octets
        self._seen = present

    def of(self, child: str, direction: Direction) -> Total:
        return self._totals.get((child, direction), Total())
