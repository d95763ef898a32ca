"""Bad networks: everything that a datagram may suffer on its way."""

from __future__ import annotations

from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, carries, connected, promise_one_pair, spis
from isthmus.sim.middle import Delay, Tamper, message
from isthmus.sim.network import Link
from isthmus.sim.scenario import BOTH, scenario
from isthmus.sim.world import World
from isthmus.wire.registry import ExchangeType

ROUGH = Link(latency=(0.01, 0.4), loss=0.1, duplicate=0.3, reorder=0.3, corrupt=0.05)


@scenario("duplicates", versions=BOTH, link=Link(duplicate=1.0))
def duplicates(world: World) -> None:
    """Every datagram arrives twice; every exchange and every packet counts once."""
    ends = connected(world)
    promise_one_pair(world, *ends.both)
    world.check("no packet came out twice", ends.there.duplicated + ends.back.duplicated == 0)


@scenario("reordering", versions=BOTH, link=Link(reorder=0.5, duplicate=0.5))
def reordering(world: World) -> None:
    """Half of all datagrams are overtaken by later ones, and half arrive twice."""
    ends = connected(world)
    promise_one_pair(world, *ends.both)
    ends.stop_traffic()
    world.run(limit=Seconds(5.0))
    world.check("every packet arrived once", ends.there.missing + ends.there.duplicated == 0)


@scenario("corruption", versions=BOTH, link=Link(corrupt=0.3))
def corruption(world: World) -> None:
    """A bit is wrong in a third of all datagrams: as good as lost, and nothing worse."""
    ends = connected(world)
    world.run(limit=Seconds(60.0))
    promise_one_pair(world, *ends.both)


@scenario("rough-network", versions=BOTH, link=ROUGH)
def rough(world: World) -> None:
    """All of it together, for ten minutes, and the Child SA stays."""
    ends = connected(world)
    world.run(limit=Seconds(120.0))
    before = spis(ends.east)
    world.run(limit=Seconds(600.0))
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    promise_one_pair(world, *ends.both)


@scenario("slow-link", versions=BOTH, link=Link(latency=(1.5, 3.0)))
def slow(world: World) -> None:
    """An answer takes longer than the first repetition: late answers to repeated requests do no harm."""
    ends = connected(world)
    world.run(limit=Seconds(60.0))
    promise_one_pair(world, *ends.both)


@scenario("late-init-response")
def late_answer(world: World) -> None:
    """The first IKE_SA_INIT response comes when the tunnel has long been up by the second."""
    picked = message(ExchangeType.IKE_SA_INIT, response=True)
    late = Delay(world.network, picked, Seconds(30.0))
    ends = connected(world)
    before = spis(ends.east)
    world.run(limit=Seconds(60.0))
    world.check("an answer was late", late.acted == 1)
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    promise_one_pair(world, *ends.both)


@scenario(
    "spoilt-message", each=("IKE_SA_INIT-request", "IKE_SA_INIT-response", "IKE_AUTH-request", "IKE_AUTH-response")
)
def spoilt(world: World, which: str) -> None:
    """The first copy of one message of the set-up is spoilt in its last octet."""
    exchange, kind = which.split("-")
    picked = message(ExchangeType[exchange], response=kind == "response")
    tamper = Tamper(world.network, picked, lambda octets: octets[:-1] + bytes([octets[-1] ^ 1]))
    ends = connected(world)
    world.check("a message was spoilt", tamper.acted == 1)
    promise_one_pair(world, *ends.both)
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
