"""Traffic totals of each child, kept through rekeys: an SA's own counters end with it, a metric must not fall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from isthmus.model.sa_spec import Direction, InstallSa, RemoveSa, SaCounters, SaId, UpdateSa


@dataclass(slots=True)
class Total:
    """What one child has carried in one direction since the gateway started."""

    packets: int = 0
    octets: int = 0

    def add(self, seen: SaCounters) -> None:
        self.packets += seen.packets
        self.octets += seen.octets


class TrafficTotals:
    """Follows the operations on a data plane: an SA is read a last time before it is removed."""

    def __init__(self, counters: Callable[[SaId], SaCounters]) -> None:
        self._counters = counters
        self._present: dict[SaId, str] = {}
        self._past: dict[tuple[str, Direction], Total] = {}

    def before(self, op: object) -> None:
        """The data plane is about to do this."""
        match op:
            case RemoveSa(sa) if sa in self._present:
                child = self._present.pop(sa)
                self._past.setdefault((child, sa.direction), Total()).add(self._counters(sa))
            case _:
                pass

    def after(self, op: object) -> None:
        """The data plane has done this."""
        match op:
            case InstallSa(spec):
                self._present[spec.id] = spec.child
            case UpdateSa(sa, _, remote, _) if sa in self._present:
                self._present[replace(sa, remote=str(remote.address))] = self._present.pop(sa)
            case _:
                pass

    def totals(self) -> dict[tuple[str, Direction], Total]:
        """By child and direction, as of now."""
        totals = {key: Total(past.packets, past.octets) for key, past in self._past.items()}
        for sa, child in self._present.items():
            totals.setdefault((child, sa.direction), Total()).add(self._counters(sa))
        return totals
