"""Somebody who sees everything, can forge any address, and knows no key."""

from __future__ import annotations

from dataclasses import replace

from isthmus.events.ike import CookieDemanded, IkeEstablished
from isthmus.events.message import DatagramDropped
from isthmus.model.plan import SessionSettings
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, carries, connected, pair, promise_one_pair, spis, up
from isthmus.sim.network import Frame
from isthmus.sim.plans import EAST, WEST
from isthmus.sim.reading import header_of
from isthmus.sim.scenario import BOTH, scenario
from isthmus.sim.tamper import Attacker, Flood
from isthmus.sim.world import World
from isthmus.wire.ikev2.message import encode
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import ExchangeType, NotifyType

REFUSALS = (
    "NO_PROPOSAL_CHOSEN",
    "INVALID_SYNTAX",
    "INVALID_MAJOR_VERSION",
    "AUTHENTICATION_FAILED",
    "COOKIE",
    "INVALID_KE_PAYLOAD",
)


@scenario("hostile-while-up", versions=BOTH)
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


@scenario("hostile-while-setting-up", versions=BOTH)
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


@scenario("flood-of-half-open")
def flood(world: World) -> None:
    """A thousand strangers a second begin and never go on: cookies, bounded state, and a friend still gets in."""
    settings = SessionSettings(cookie_activation_threshold=20, maximum_half_opened_sa=100)
    ends = pair(world, EAST, replace(WEST, knows="dynamic", settings=settings))
    poured = Flood(world.network, world.agenda, world.stream("flood"), every=Seconds(0.001))
    ends.west.boot()
    ends.east.boot()
    world.run(limit=Seconds(0.002))
    ends.east.kill()
    world.run(limit=Seconds(2.0))
    ends.east.boot()
    began = world.now
    world.run(until=up(*ends.both), limit=Seconds(10.0))
    world.check(f"a friend is in within 3 s, not {world.now - began:.1f}", world.now - began < 3.0)
    world.check("cookies were asked for", ends.west.told(CookieDemanded))
    poured.stop()
    ends.begin_traffic()
    world.run(until=carries(ends))
    world.run(limit=Seconds(60.0))
    promise_one_pair(world, *ends.both)


@scenario("forged-refusal", each=REFUSALS)
def forged_refusal(world: World, notify: str) -> None:
    """To each IKE_SA_INIT request somebody is quicker with a no than the peer with its yes (RFC 7296, 2.21.1)."""
    data = {"COOKIE": b"not yours", "INVALID_KE_PAYLOAD": (1).to_bytes(2)}.get(notify, b"")

    def forge(frame: Frame) -> None:
        header = header_of(frame)
        if header is not None and header.exchange == ExchangeType.IKE_SA_INIT and not header.response:
            answer = encode(replace(header, initiator=False, response=True), [Notify(NotifyType[notify], data)])
            world.network.deliver(Frame(frame.destination, frame.source, answer), Seconds(0.001))

    world.network.taps.append(forge)
    ends = connected(world)
    world.check("it took no second attempt", len(ends.west.told(IkeEstablished)) == 1)
    promise_one_pair(world, *ends.both)
