"""What newer peers offer besides: childless set-up, lifetimes that the responder sets."""

from __future__ import annotations

from dataclasses import replace

from isthmus.engine.commands import InitiateIke
from isthmus.events.ike import IkeEstablished
from isthmus.model.plan import Start
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import carries, pair, promise_one_pair
from isthmus.sim.network import Link
from isthmus.sim.plans import EAST, WEST
from isthmus.sim.scenario import scenario
from isthmus.sim.world import World


@scenario("childless", each=("clean", "under-loss"))
def childless(world: World, weather: str) -> None:
    """An operator wants the IKE SA of a tunnel that waits for traffic: it stands without a child (RFC 6023)."""
    world.network.link = Link(loss=0.25 if weather == "under-loss" else 0.0)
    ends = pair(world, replace(EAST, start=Start.ON_DEMAND), replace(WEST, start=Start.ON_DEMAND))
    world.run(limit=Seconds(1.0))
    ends.east.command(InitiateIke("west"))
    world.run(until=lambda: all(site.told(IkeEstablished) for site in ends.both), limit=Seconds(120.0))
    world.run(limit=Seconds(2.0))
    world.check("there is no Child SA", not ends.east.plane.installed and not ends.west.plane.installed)
    ends.begin_traffic()
    world.run(until=carries(ends), limit=Seconds(120.0))
    world.check("the first packet made a child of the same IKE SA", len(ends.east.told(IkeEstablished)) == 1)
    promise_one_pair(world, *ends.both)
