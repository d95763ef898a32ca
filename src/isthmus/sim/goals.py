"""What stories wait for and promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from isthmus.events.ike import FailureReason, NegotiationFailed
from isthmus.model.quantities import Instant, Seconds
from isthmus.sim.flow import Flow
from isthmus.sim.invariants import live_children
from isthmus.sim.plans import EAST, WEST, Party, join, packet_for
from isthmus.sim.site import Site
from isthmus.sim.world import REST, World

Goal = Callable[[], bool]

SET_UP_LIMIT = Seconds(600.0)
"""Under 30 % loss a set-up may need several attempts with their pauses."""


@dataclass(slots=True)
class Pair:
    """Two joined sites with traffic of the first proxy ID in both directions."""

    world: World
    east: Site
    west: Site
    there: Flow
    back: Flow

    @property
    def both(self) -> tuple[Site, Site]:
        return self.east, self.west

    def one(self, name: str) -> Site:
        """The site that a story names."""
        return {self.east.name: self.east, self.west.name: self.west}[name]

    def other(self, name: str) -> Site:
        return {self.east.name: self.west, self.west.name: self.east}[name]

    def begin_traffic(self) -> None:
        for flow in (self.there, self.back):
            flow.start()

    def stop_traffic(self) -> None:
        for flow in (self.there, self.back):
            flow.stop()

    def forget_losses(self) -> None:
        """Counts anew from here."""
        for flow in (self.there, self.back):
            flow.forget()


def pair(world: World, east: Party = EAST, west: Party = WEST, every: Seconds | None = None) -> Pair:
    """Two sites that have not spoken yet, and flows that have not begun."""
    one, other = join(world, east, west)
    return pair_of(world, one, other, east, west, every)


def pair_of(world: World, one: Site, other: Site, east: Party, west: Party, every: Seconds | None = None) -> Pair:
    """Two sites that stand already."""
    there = world.flow(one, other, packet_for(east.proxy_ids[0]), every)
    back = world.flow(other, one, packet_for(west.proxy_ids[0]), every)
    return Pair(world, one, other, there, back)


def connected(world: World, east: Party = EAST, west: Party = WEST, every: Seconds | None = None) -> Pair:
    """Two sites with a tunnel that carries traffic both ways."""
    ends = pair(world, east, west, every)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    ends.begin_traffic()
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
    return ends


def up(*sites: Site) -> Goal:
    """Every configured child is up, as each site sees it."""
    return lambda: all(site.up and _all_up(site) for site in sites)


def carries(ends: Pair, fresh: int = 3) -> Goal:
    """So many more packets come through in each direction, and they are sent now."""
    marks = [(flow, flow.received + fresh) for flow in (ends.there, ends.back)]
    for flow, _ in marks:
        flow.hasten()
    return lambda: all(flow.received >= mark for flow, mark in marks)


def failed(site: Site, *reasons: FailureReason, since: float = 0.0) -> Goal:
    """A negotiation came to nothing at this site, for one of these reasons."""
    return lambda: any(e.reason in reasons for e in site.told(NegotiationFailed, Instant(since)))


def gone(site: Site) -> bool:
    """The site has no SA of any kind."""
    return not site.plane.installed and not site.ike_sas


def spis(site: Site, child: str | None = None) -> frozenset[tuple[int, int]]:
    """The live Child SAs, by their SPIs."""
    return frozenset((c.spi_in, c.spi_out) for c in live_children(site, child))


def promise_one_pair(world: World, east: Site, west: Site) -> None:
    """All comes to rest with exactly one IKE SA and one Child SA for each configured child, the same at both ends."""

    def lacking() -> str | None:
        for site in (east, west):
            for name in _names(site):
                count = len(live_children(site, name))
                if count != 1:
                    return f"{count} Child SAs of {name} at {site.name}, not exactly one"
            count = len(site.ike_sas)
            if count != 1:
                return f"{count} IKE SAs at {site.name}, not exactly one"
        crosswise = frozenset((out, into) for into, out in spis(west))
        return None if spis(east) == crosswise else "the two ends hold different Child SAs"

    world.settle()
    world.reach(lacking, REST)


def promise_nothing_stands(world: World, *sites: Site) -> None:
    """No Child SA anywhere, and nothing of one in the data plane."""
    for site in sites:
        world.check(f"no IPsec SA at {site.name}", not site.plane.installed)


def _all_up(site: Site) -> bool:
    return bool(site.tunnels) and all(tunnel.state == "up" for tunnel in site.tunnels)


def _names(site: Site) -> Iterator[str]:
    return (child.name for tunnel in site.plan.tunnels.values() for child in tunnel.children)
