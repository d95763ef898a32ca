"""How tunnels heal: after a restart, a partition, a lost delete."""

from __future__ import annotations

from dataclasses import replace

from isthmus.engine import commands
from isthmus.events.ike import IkeDeleted, IkeEstablished, IkeStarted, PeerSilent
from isthmus.model.address import NAT_T_PORT
from isthmus.model.plan import Liveness, Start, Version
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, carries, connected, gone, pair, promise_one_pair, spis, up
from isthmus.sim.middle import Lose, message
from isthmus.sim.network import Frame, Link
from isthmus.sim.plans import EAST, WEST, plan_of
from isthmus.sim.reading import header_of
from isthmus.sim.scenario import BOTH, scenario
from isthmus.sim.world import MINUTE, World
from isthmus.wire import udp
from isthmus.wire.ikev2.message import encode
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import ExchangeType, NotifyType, PayloadType

HOUR = Seconds(3600.0)
DAY = Seconds(24 * HOUR)
_LONG_WEST = replace(WEST, child_lifetime=DAY, ike_lifetime=DAY)
NOTICE = Seconds(240.0)
"""A peer that fell silent is given up within this: liveness interval and ten repetitions."""

HEALED = Seconds(600.0)
"""Noticing, giving up, and a capped pause before the next attempt."""


@scenario("peer-restarts", versions=BOTH, each=("initiator", "responder"))
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


@scenario("peer-restarts-under-loss", versions=BOTH, link=Link(loss=0.2), each=("initiator", "responder"))
def peer_restarts_under_loss(world: World, role: str) -> None:
    """The same while a fifth of all datagrams vanishes."""
    peer_restarts(world, role)


@scenario("both-restart", versions=BOTH)
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


@scenario("peer-gone-for-good", versions=BOTH)
def peer_gone(world: World) -> None:
    """The peer dies and stays dead: its SAs go, and the attempts to reach it never end."""
    ends = connected(world)
    ends.stop_traffic()
    ends.west.kill()
    world.run(until=lambda: bool(ends.east.told(IkeDeleted)), limit=NOTICE)
    world.run(limit=Seconds(5.0))
    world.check("no IPsec SA is left", not ends.east.plane.installed)
    tries = len(ends.east.told(PeerSilent))
    world.run(until=lambda: len(ends.east.told(PeerSilent)) > tries, limit=HOUR)
    ends.west.boot()
    world.run(until=up(*ends.both), limit=HEALED)
    promise_one_pair(world, *ends.both)


def _silence_hints(world: World) -> None:
    """Nobody says that it does not know an SPI (RFC 7296, 2.21.4 leaves it free)."""

    def unprotected(frame: Frame) -> bool:
        header = header_of(frame)
        return (
            header is not None
            and header.response
            and header.exchange != ExchangeType.IKE_SA_INIT
            and header.next_payload == PayloadType.NOTIFY
        )

    Lose(world.network, unprotected, times=None)


DOWN = {"at-once": 0.3, "after-a-minute": 60.0, "after-an-hour": HOUR}


@scenario("peer-forgets", versions=BOTH, each=DOWN)
def peer_forgets(world: World, back: str) -> None:
    """The peer is killed and comes back as a stranger that waits to be called and gives no hint. It is missed by the
    liveness check, or found as soon as it would have been missed: within the interval and a second."""
    _silence_hints(world)
    ends = connected(world)
    before = spis(ends.east)
    ends.west.kill()
    killed_at = world.now
    world.run(limit=Seconds(DOWN[back]))
    ends.west.boot()
    # Traffic is heard of once a second, so silence may begin half a second later than it seems.
    slack = 0.5 if back == "at-once" else 0.0
    limit = Liveness().interval + 1.0 + slack - (world.now - killed_at if back == "at-once" else 0.0)
    world.run(until=carries(ends), limit=Seconds(limit))
    promise_one_pair(world, *ends.both)
    world.check("the tunnel is a new one", not before & spis(ends.east))


@scenario("peer-forgets-under-loss", versions=BOTH, link=Link(loss=0.3), each=DOWN)
def peer_forgets_under_loss(world: World, back: str) -> None:
    """The same while almost a third of all datagrams vanishes."""
    _silence_hints(world)
    ends = connected(world)
    ends.west.kill()
    world.run(limit=Seconds(DOWN[back]))
    ends.west.boot()
    world.run(until=carries(ends), limit=HEALED)
    promise_one_pair(world, *ends.both)


@scenario("responder-finds-the-initiator-forgetful")
def initiator_forgets(world: World) -> None:
    """The initiator comes back and calls nobody: a responder that may call notices, and does."""
    _silence_hints(world)
    ends = connected(world, EAST, replace(WEST, passive=False))
    ends.east.kill()
    ends.east.plan = plan_of(replace(EAST, start=Start.ON_DEMAND), WEST)
    ends.stop_traffic()
    ends.east.boot()
    ends.back.start()
    world.run(until=lambda: bool(spis(ends.east)), limit=Seconds(Liveness().interval + 2.0))
    ends.begin_traffic()
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("slow-peer", link=Link(latency=(0.5, 0.7)), tags=("hours",))
def slow_peer(world: World) -> None:
    """A peer that takes more than a second to answer is never suspected, once that is known."""
    ends = connected(world, replace(EAST, child_lifetime=DAY, ike_lifetime=DAY), _LONG_WEST)
    ends.stop_traffic()
    world.run(limit=HOUR)
    world.check("nobody began anything anew", len(ends.east.told(IkeStarted)) <= 2)
    world.check("the IKE SA is the first one", all(len(site.told(IkeEstablished)) == 1 for site in ends.both))
    promise_one_pair(world, *ends.both)


@scenario("idle-under-loss", link=Link(loss=0.3), tags=("hours",))
def idle_under_loss(world: World) -> None:
    """Nobody sends anything for an hour and almost a third of all liveness checks is lost: hardly ever is an IKE SA
    made anew for that, and never are there two in the end."""
    ends = connected(world, replace(EAST, child_lifetime=DAY, ike_lifetime=DAY), _LONG_WEST)
    ends.stop_traffic()
    made = len(ends.east.told(IkeEstablished))
    world.run(limit=HOUR)
    made = len(ends.east.told(IkeEstablished)) - made
    world.check(f"of some 700 liveness checks at most 25 made another IKE SA, and not {made}", made <= 25)
    world.network.link = Link()
    ends.begin_traffic()
    world.run(until=carries(ends), limit=HEALED)
    promise_one_pair(world, *ends.both)


@scenario("forged-hints")
def forged_hints(world: World) -> None:
    """Somebody answers every request of east with INVALID_IKE_SPI, quicker than the peer: nothing comes of it."""

    def forge(frame: Frame) -> None:
        header = header_of(frame)
        if header is not None and not header.response and frame.source.address == ends.east.address:
            answer = encode(replace(header, initiator=False, response=True), [Notify(NotifyType.INVALID_IKE_SPI)])
            marked = udp.frame(answer) if frame.source.port == NAT_T_PORT else answer
            world.network.deliver(Frame(frame.destination, frame.source, marked), Seconds(0.001))

    ends = connected(world)
    before = spis(ends.east)
    world.network.taps.append(forge)
    ends.stop_traffic()
    world.run(limit=Seconds(120.0))
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    world.check("nobody began anything anew", len(ends.east.told(IkeStarted)) == 1)
    promise_one_pair(world, *ends.both)


@scenario("half-open-forgotten", each=("hint", "silent"))
def half_open_forgotten(world: World, how: str) -> None:
    """The responder restarts between IKE_SA_INIT and IKE_AUTH: the initiator does not insist on what is forgotten."""
    ends = pair(world)
    if how == "silent":
        _silence_hints(world)
    Lose(world.network, message(ExchangeType.IKE_AUTH, response=False))
    world.run(until=lambda: bool(ends.west.ike_sas), limit=Seconds(1.0))
    ends.west.kill()
    world.run(limit=Seconds(0.01))
    ends.west.boot()
    world.run(until=up(*ends.both), limit=Seconds(5.0 if how == "hint" else 40.0))
    ends.begin_traffic()
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("partition", versions=BOTH, each=("short", "minute", "hours", "one-way-there", "one-way-back"))
def partition(world: World, how: str) -> None:
    """The network between them breaks and heals. A minute changes nothing; hours end in a fresh tunnel.

    Version 1 gives the peer up sooner: five questions without an answer, one every five seconds.
    """
    ends = connected(world)
    before = spis(ends.east)
    length = {"short": 3.0, "minute": 60.0, "hours": 4 * HOUR}.get(how, NOTICE)
    source = {"one-way-there": ends.east.address, "one-way-back": ends.west.address}.get(how)
    world.network.partition(length, source=source)
    world.run(limit=Seconds(length))
    world.run(until=carries(ends), limit=HEALED)
    promise_one_pair(world, *ends.both)
    if how == "short" or (how == "minute" and world.version is Version.IKEV2):
        world.check("the Child SA is the one from before", spis(ends.east) == before)


@scenario("silence-of-two-minutes", each=("120", "130", "140"))
def two_minutes(world: World, length: str) -> None:
    """The network breaks for about as long as a request is repeated, while nobody has anything to send. A peer that is
    heard again is not given up for a question from before, whose last repetition was lost: what carries goes on."""
    ends = connected(world)
    ends.stop_traffic()
    world.network.partition(float(length))
    world.run(limit=Seconds(float(length)))
    ends.begin_traffic()
    world.run(until=carries(ends), limit=HEALED)
    ends.forget_losses()
    world.run(limit=Seconds(2.0))
    heard_at = world.now
    world.run(limit=MINUTE)
    ends.stop_traffic()
    world.run(limit=Seconds(1.0))
    lost = sum(flow.missing for flow in (ends.there, ends.back))
    world.check(f"nothing is lost once a packet came through, and not {lost}", not lost)
    world.check("nobody begins anything anew", not any(site.told(IkeStarted, heard_at) for site in ends.both))
    promise_one_pair(world, *ends.both)


@scenario("speaks-and-never-answers")
def never_answers(world: World) -> None:
    """West sends packets and asks after east, but nothing that it answers arrives: in the end east gives it up."""
    ends = connected(world)

    def answer(frame: Frame) -> bool:
        header = header_of(frame)
        return header is not None and header.response and frame.source.address == ends.west.address

    Lose(world.network, answer, times=None)
    ends.east.command(commands.RekeyChild("west:lan"))
    world.run(until=lambda: bool(ends.east.told(PeerSilent)), limit=Seconds(2 * NOTICE))


@scenario("idle-for-hours", versions=BOTH, tags=("hours",))
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


@scenario("lost-delete", versions=BOTH, each=("ike", "child"))
def lost_delete(world: World, what: str) -> None:
    """East deletes while the network is down, gives up, and west finds out by itself; then they meet again."""
    ends = connected(world)
    world.network.partition(NOTICE)
    ends.east.command(commands.TerminateIke("west") if what == "ike" else commands.TerminateChild("west:lan"))
    world.run(limit=NOTICE)
    world.run(until=carries(ends), limit=HEALED)
    promise_one_pair(world, *ends.both)


@scenario("polite-shutdown", versions=BOTH, each=("east", "west"))
def polite_shutdown(world: World, name: str) -> None:
    """A gateway that stops deletes its SAs at the peer first; started again, it is back at once."""
    ends = connected(world)
    stopping, other = ends.one(name), ends.other(name)
    ends.stop_traffic()
    stopping.command(commands.Shutdown())
    world.run(until=lambda: stopping.gateway is not None and stopping.gateway.idle)
    world.check("nothing is left where it stopped", gone(stopping))
    stopping.kill()
    # Version 1 does not wait for an answer.
    world.run(until=lambda: not spis(other), limit=Seconds(1.0))
    world.run(limit=Seconds(1.0))
    stopping.boot()
    ends.begin_traffic()
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
    world.run(limit=MINUTE)
    promise_one_pair(world, *ends.both)
