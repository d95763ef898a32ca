"""How tunnels heal: after a restart, a partition, a lost delete."""

from __future__ import annotations

from dataclasses import replace

from isthmus.engine import commands
from isthmus.events.ike import IkeEstablished, PeerSilent
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, carries, connected, gone, promise_one_pair, spis, up
from isthmus.sim.network import Link
from isthmus.sim.plans import EAST, WEST
from isthmus.sim.scenario import scenario
from isthmus.sim.world import MINUTE, World

HOUR = Seconds(3600.0)
NOTICE = Seconds(240.0)
"""A peer that fell silent is given up within this: liveness interval and ten repetitions."""

HEALED = Seconds(600.0)
"""Noticing, giving up, and a capped pause before the next attempt."""


@scenario("peer-restarts", each=("initiator", "responder"))
def peer_restarts(world: World, role: str) -> None:
    """One end is killed and starts again with nothing: a fresh tunnel replaces the old one, at both ends."""
    ends = connected(world)
    victim = ends.east if role == "initiator" else ends.west
    before = spis(ends.east)
    killed_at = world.now
    victim.kill()
    world.run(limit=Seconds(2.0))
    victim.boot()
    world.run(until=carries(ends), limit=HEALED)
    promise_one_pair(world, *ends.both)
    world.check("the tunnel is a new one", not before & spis(ends.east))
    count = sum(event.at > killed_at for event in ends.other(victim.name).told(IkeEstablished))
    world.check(f"one new IKE SA replaced the old one, and not {count}", count == 1 or world.network.link.loss)


@scenario("peer-restarts-under-loss", link=Link(loss=0.2), each=("initiator", "responder"))
def peer_restarts_under_loss(world: World, role: str) -> None:
    """The same while a fifth of all datagrams vanishes."""
    peer_restarts(world, role)


@scenario("both-restart")
def both_restart(world: World) -> None:
    """Both are killed; both want to be first again."""
    ends = connected(world, EAST, replace(WEST, passive=False))
    for site in ends.both:
        site.kill()
    world.run(limit=Seconds(1.0))
    for site in ends.both:
        site.boot()
    world.run(until=carries(ends), limit=HEALED)
    world.run(limit=Seconds(30.0))
    promise_one_pair(world, *ends.both)


@scenario("peer-gone-for-good")
def peer_gone(world: World) -> None:
    """The peer dies and stays dead: its SAs go, and the attempts to reach it never end."""
    ends = connected(world)
    ends.stop_traffic()
    ends.west.kill()
    world.run(until=lambda: bool(ends.east.told(PeerSilent)), limit=NOTICE)
    world.run(limit=Seconds(5.0))
    world.check("no IPsec SA is left", not ends.east.plane.installed)
    tries = len(ends.east.told(PeerSilent))
    world.run(until=lambda: len(ends.east.told(PeerSilent)) > tries, limit=HOUR)
    ends.west.boot()
    world.run(until=up(*ends.both), limit=HEALED)
    promise_one_pair(world, *ends.both)


@scenario("partition", each=("short", "hours", "one-way-there", "one-way-back"))
def partition(world: World, how: str) -> None:
    """The network between them breaks and heals. A moment changes nothing; hours end in a fresh tunnel."""
    ends = connected(world)
    before = spis(ends.east)
    length = {"short": 3.0, "hours": 4 * HOUR}.get(how, NOTICE)
    source = {"one-way-there": ends.east.address, "one-way-back": ends.west.address}.get(how)
    world.network.partition(length, source=source)
    world.run(limit=Seconds(length))
    world.run(until=carries(ends), limit=HEALED)
    promise_one_pair(world, *ends.both)
    if how == "short":
        world.check("the Child SA is the one from before", spis(ends.east) == before)


@scenario("idle-for-hours", tags=("hours",))
def idle(world: World) -> None:
    """Nobody sends anything for two hours; liveness checks pass, and the tunnel is still there."""
    day = Seconds(24 * HOUR)
    ends = connected(
        world, replace(EAST, child_lifetime=day, ike_lifetime=day), replace(WEST, child_lifetime=day, ike_lifetime=day)
    )
    ends.stop_traffic()
    before = spis(ends.east)
    world.run(limit=Seconds(2 * HOUR))
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    ends.begin_traffic()
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("lost-delete", each=("ike", "child"))
def lost_delete(world: World, what: str) -> None:
    """East deletes while the network is down, gives up, and west finds out by itself; then they meet again."""
    ends = connected(world)
    world.network.partition(NOTICE)
    ends.east.command(commands.TerminateIke("west") if what == "ike" else commands.TerminateChild("west:lan"))
    world.run(limit=NOTICE)
    world.run(until=carries(ends), limit=HEALED)
    promise_one_pair(world, *ends.both)


@scenario("polite-shutdown", each=("east", "west"))
def polite_shutdown(world: World, name: str) -> None:
    """A gateway that stops deletes its SAs at the peer first; started again, it is back at once."""
    ends = connected(world)
    stopping, other = ends.one(name), ends.other(name)
    ends.stop_traffic()
    stopping.command(commands.Shutdown())
    world.run(until=lambda: stopping.gateway is not None and stopping.gateway.idle)
    world.check("nothing is left where it stopped", gone(stopping))
    world.check("nothing of it is left at the peer", not spis(other))
    stopping.kill()
    world.run(limit=Seconds(1.0))
    stopping.boot()
    ends.begin_traffic()
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
    world.run(limit=MINUTE)
    promise_one_pair(world, *ends.both)
