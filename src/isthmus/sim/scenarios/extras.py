"""What newer peers offer besides: childless set-up, lifetimes that the responder sets."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from isthmus.engine.commands import InitiateIke
from isthmus.events.ike import IkeEstablished, NegotiationFailed
from isthmus.model.plan import Start
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import carries, pair, promise_one_pair
from isthmus.sim.network import Link
from isthmus.sim.plans import EAST, WEST
from isthmus.sim.scenario import scenario
from isthmus.sim.site import Site
from isthmus.sim.world import World


@scenario("childless", each=("clean", "under-loss"))
def childless(world: World, weather: str) -> None:
    """An operator wants the IKE SA of a tunnel that waits for traffic: it stands without a child (RFC 6023)."""
    world.network.link = Link(loss=0.25 if weather == "under-loss" else 0.0)
    ends = pair(world, replace(EAST, start=Start.ON_DEMAND), replace(WEST, start=Start.ON_DEMAND))
    world.run(limit=Seconds(1.0))
    while not ends.east.told(IkeEstablished):  # nobody asks again where ten tries were lost
        tries = len(ends.east.told(NegotiationFailed))
        ends.east.command(InitiateIke("west"))
        world.run(until=partial(_decided, ends.east, tries), limit=Seconds(200.0))
    world.run(until=lambda: bool(ends.west.told(IkeEstablished)))
    world.run(limit=Seconds(2.0))
    world.check("there is no Child SA", not ends.east.plane.installed and not ends.west.plane.installed)
    ends.begin_traffic()
    world.run(until=carries(ends), limit=Seconds(120.0))
    made = len(ends.east.told(IkeEstablished))
    world.check("the first packet made a child of the same IKE SA", made == 1 or weather == "under-loss")
    promise_one_pair(world, *ends.both)


def _decided(site: Site, tries: int) -> bool:
    return bool(site.told(IkeEstablished)) or len(site.told(NegotiationFailed)) > tries
