"""Whose turn it is: found in a few steps, however many sites there are."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from functools import partial

from isthmus.model.quantities import Instant
from isthmus.sim.site import Site


class Rota:
    """Keeps the sites by when their timers are due, and those that something happened to."""

    def __init__(self) -> None:
        self._sites: list[Site] = []
        self._noted: list[Instant | None] = []
        """When each was last said to be due."""
        self._timers: list[tuple[Instant, int]] = []
        """A heap of times and sites; one that is not due then any more is skipped when it surfaces."""
        self._touched: set[int] = set()

    def enter(self, site: Site) -> None:
        """From now on it has its turn."""
        site.changed = partial(self._note, len(self._sites))
        self._sites.append(site)
        self._noted.append(None)

    def next(self) -> tuple[Instant, Site] | None:
        """Whose timer is due first, and when; of several at one instant, the site that entered first."""
        while self._timers:
            due, number = self._timers[0]
            if self._sites[number].due == due:
                return due, self._sites[number]
            heapq.heappop(self._timers)
        return None

    def touched(self) -> Iterator[Site]:
        """Those that something happened to since this was asked last, in the order in which they entered."""
        numbers = sorted(self._touched)
        self._touched.clear()
        for number in numbers:
            self._sites[number].touched = False
            yield self._sites[number]

    def _note(self, number: int) -> None:
        site = self._sites[number]
        if site.touched:
            self._touched.add(number)
        if site.due != self._noted[number]:
            self._noted[number] = site.due
            if site.due is not None:
                heapq.heappush(self._timers, (site.due, number))
