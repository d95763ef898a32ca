"""Deletes from either end; those from both at once are in `crossing`. RFC 7296, 1.4.1."""

from __future__ import annotations

from dataclasses import replace

from isthmus.events.child import ChildDeleted
from isthmus.events.ike import IkeDeleted
from isthmus.model.plan import Start
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import Pair, carries, connected, pair, promise_nothing_stands, promise_one_pair, spis, up
from isthmus.sim.middle import Lose, message
from isthmus.sim.network import Link
from isthmus.sim.plans import EAST, WEST
from isthmus.sim.scenario import BOTH, scenario
from isthmus.sim.scenarios.crossing import DELETES
from isthmus.sim.world import World
from isthmus.wire.registry import ExchangeType

ENDS = ("east", "west")

_delete_child, _delete_ike = DELETES["delete-child"], DELETES["delete-ike"]


@scenario("delete-child", versions=BOTH, each=ENDS)
def delete_child(world: World, name: str) -> None:
    """One end deletes the Child SA: it goes at both, the IKE SA stands; configured to be up, it comes up again."""
    ends = connected(world)
    before = spis(ends.east)
    ends.one(name).command(_delete_child(ends.one(name)))
    world.run(until=lambda: all(site.told(ChildDeleted) for site in ends.both))
    world.check("the IKE SA stands", not any(site.told(IkeDeleted) for site in ends.both))
    world.run(until=up(*ends.both))
    world.check("the Child SA is a new one", not before & spis(ends.east))
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("delete-child-on-demand", versions=BOTH, each=ENDS)
def delete_child_on_demand(world: World, name: str) -> None:
    """Not configured to be up, it stays down until the next packet."""
    ends = connected_on_demand(world)
    ends.stop_traffic()
    ends.one(name).command(_delete_child(ends.one(name)))
    world.run(until=lambda: all(site.told(ChildDeleted) for site in ends.both))
    world.run(limit=Seconds(60.0))
    promise_nothing_stands(world, *ends.both)
    ends.begin_traffic()
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("delete-ike", versions=BOTH, each=ENDS)
def delete_ike(world: World, name: str) -> None:
    """One end deletes the IKE SA and with it all its children; then all comes up anew."""
    ends = connected(world)
    before = spis(ends.east)
    ends.one(name).command(_delete_ike(ends.one(name)))
    world.run(until=lambda: all(site.told(IkeDeleted) for site in ends.both))
    world.run(until=up(*ends.both))
    world.check("the Child SA is a new one", not before & spis(ends.east))
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("delete-under-loss", versions=BOTH, link=Link(loss=0.3), each=("child", "ike"))
def delete_under_loss(world: World, what: str) -> None:
    """A delete is repeated until it is answered."""
    ends = connected(world)
    kind = ChildDeleted if what == "child" else IkeDeleted
    ends.west.command(_delete_child(ends.west) if what == "child" else _delete_ike(ends.west))
    world.run(until=lambda: all(site.told(kind) for site in ends.both), limit=Seconds(300.0))
    world.run(until=up(*ends.both), limit=Seconds(600.0))
    world.run(until=carries(ends), limit=Seconds(300.0))
    promise_one_pair(world, *ends.both)


@scenario("delete-answer-lost", each=("child", "ike"))
def delete_answer_lost(world: World, what: str) -> None:
    """The answer to a delete is lost; the repeated request is answered again, although the SA is gone by then."""
    ends = connected(world)
    answers = Lose(world.network, message(ExchangeType.INFORMATIONAL, source=ends.west, response=True))
    ends.east.command(_delete_child(ends.east) if what == "child" else _delete_ike(ends.east))
    world.run(until=lambda: answers.acted > 0)
    world.run(until=lambda: all(site.told(ChildDeleted) for site in ends.both))
    world.run(until=up(*ends.both))
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


def connected_on_demand(world: World) -> Pair:
    """Two sites that connect because hosts want to talk."""
    ends = pair(world, replace(EAST, start=Start.ON_DEMAND), replace(WEST, start=Start.ON_DEMAND))
    ends.begin_traffic()
    world.run(until=carries(ends))
    return ends
