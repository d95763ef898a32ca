"""Somebody who sees everything, can forge any address, and knows no key."""

from __future__ import annotations

from isthmus.events.message import DatagramDropped
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, carries, connected, pair, promise_one_pair, spis, up
from isthmus.sim.scenario import scenario
from isthmus.sim.tamper import Attacker
from isthmus.sim.world import World


@scenario("hostile-while-up")
def while_up(world: World) -> None:
    """Mutated copies of real messages, replays, reflections and noise rain on a live tunnel, and nothing changes."""
    attacker = Attacker(world.network, world.agenda, world.stream("attacker"))
    ends = connected(world)
    world.settle()
    before = spis(ends.east)
    ends.forget_losses()
    attacker.start()
    world.run(limit=Seconds(30.0))
    attacker.stop()
    world.run(limit=Seconds(90.0))
    world.check("the attacker was busy", attacker.sent > 1000)
    world.check("each was dropped with a trigger", any(site.told(DatagramDropped) for site in ends.both))
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    for flow in (ends.there, ends.back):
        world.check(f"no packet was lost, and not {flow.missing}", flow.missing <= 2)
    promise_one_pair(world, *ends.both)


@scenario("hostile-while-setting-up")
def while_setting_up(world: World) -> None:
    """The same rain falls while the tunnel is being negotiated: it comes up all the same."""
    attacker = Attacker(world.network, world.agenda, world.stream("attacker"), every=Seconds(0.002))
    attacker.start()
    ends = pair(world)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    ends.begin_traffic()
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
    attacker.stop()
    world.run(limit=Seconds(120.0))
    promise_one_pair(world, *ends.both)
