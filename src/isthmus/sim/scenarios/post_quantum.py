"""Several key exchanges for one SA, ML-KEM among them, in set-up and in rekeys. RFC 9242, RFC 9370."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from isthmus.engine import commands
from isthmus.engine.commands import Command
from isthmus.events.child import RekeyCollision
from isthmus.events.ike import FailureReason, IkeRekeyCollision
from isthmus.model.plan import Fragmentation
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import (
    Goal,
    Pair,
    carries,
    connected,
    failed,
    pair,
    promise_nothing_stands,
    promise_one_pair,
    spis,
)
from isthmus.sim.middle import Delay, Lose, Observe, any_ike, message
from isthmus.sim.network import Frame, Link
from isthmus.sim.plans import EAST, WEST, Party
from isthmus.sim.scenario import scenario
from isthmus.sim.scenarios.crossing import child_of, peer_of
from isthmus.sim.site import Site
from isthmus.sim.world import World
from isthmus.wire.registry import ExchangeType

ENDS = ("east", "west")
TAGS = ("issue3",)

KEM_IKE = "aes-256-gcm/sha384/group31/+ml-kem-768"
KEM_ESP = "aes-256-gcm/group31/+ml-kem-768"

ROUNDS = {
    "two-rounds": ("group31/+ml-kem-768/+ml-kem-1024", 2),
    "three-rounds": ("group31/+ml-kem-768/+group20/+ml-kem-1024", 3),
    "seven-rounds": (
        "group31/+ml-kem-768/+ml-kem-1024/+group19/+group20/+group21/+group32/+group14",
        7,
    ),
}

Wish = Callable[[Site], Command]

WISHES: dict[str, Wish] = {
    "rekey-child": lambda site: commands.RekeyChild(child_of(site)),
    "rekey-ike": lambda site: commands.RekeyIke(peer_of(site)),
}

LOST = tuple(
    f"{wish}-{what}"
    for wish in WISHES
    for what in ("create-request", "create-response", "follow-up-request", "follow-up-response")
)


@scenario("set-up-with", each=("ml-kem-768", "ml-kem-1024"), tags=TAGS)
def set_up_with_kem(world: World, method: str) -> None:
    """One IKE_INTERMEDIATE exchange carries the KEM; its fragments fit in what was configured."""
    ends = _connected(world, f"group31/+{method}")
    _promise_rounds(ends, 1)
    promise_one_pair(world, *ends.both)


@scenario("set-up-with", each=ROUNDS, tags=TAGS)
def set_up_with_rounds(world: World, name: str) -> None:
    """As many IKE_INTERMEDIATE exchanges as key exchanges were agreed beyond the first (RFC 9370, 2.2.2)."""
    exchanges, count = ROUNDS[name]
    ends = _connected(world, exchanges)
    _promise_rounds(ends, count)
    promise_one_pair(world, *ends.both)


@scenario("set-up-with-ml-kem-and", each=("aes-256-cbc", "3des", "chacha20-poly1305"), tags=TAGS)
def set_up_with_other_ciphers(world: World, cipher: str) -> None:
    """Padding and ICVs differ; what is signed of IKE_INTERMEDIATE does not depend on them (RFC 9242, 3.3.2)."""
    bare = "" if cipher == "chacha20-poly1305" else "/sha1"
    ike, esp = f"{cipher}{bare}/sha1/group19/+ml-kem-768", f"{cipher}{bare}"
    ends = connected(world, _with(EAST, ike, esp), _with(WEST, ike, esp))
    promise_one_pair(world, *ends.both)


@scenario("set-up-with-ml-kem-under-loss", link=Link(loss=0.3), tags=TAGS)
def set_up_under_loss(world: World) -> None:
    """Every third fragment vanishes: the keys change only with what has arrived."""
    ends = _connected(world, ROUNDS["two-rounds"][0])
    promise_one_pair(world, *ends.both)


@scenario("set-up-with-ml-kem-optional", each=("both", "east", "west", "neither"), tags=TAGS)
def optional(world: World, who: str) -> None:
    """Who writes `none` beside a method goes on without where the other has it not (RFC 9370, 2.2.1)."""
    with_it, without = "aes-256-gcm/sha384/group31/+ml-kem-768,none", "aes-256-gcm/sha384/group31"
    east = replace(EAST, ike=(with_it if who in ("both", "east") else without,))
    west = replace(WEST, ike=(with_it if who in ("both", "west") else without,))
    spoken = Observe(world.network, message(ExchangeType.IKE_INTERMEDIATE))
    ends = connected(world, east, west)
    world.check("the KEM is used where both have it", bool(spoken.acted) == (who == "both"))
    promise_one_pair(world, *ends.both)


@scenario("set-up-with-ml-kem-missing-at", each=ENDS, tags=TAGS)
def missing(world: World, who: str) -> None:
    """One end insists, the other does not have it: NO_PROPOSAL_CHOSEN, and nothing stands."""
    east, west = (replace(p, ike=(KEM_IKE if p.name != who else KEM_IKE.rpartition("/")[0],)) for p in (EAST, WEST))
    ends = pair(world, east, west)
    world.run(until=lambda: all(failed(site, FailureReason.NO_PROPOSAL_CHOSEN)() for site in ends.both))
    promise_nothing_stands(world, *ends.both)


@scenario("set-up-with-ml-kem-unfragmented", tags=TAGS)
def unfragmented(world: World) -> None:
    """Without IKE fragmentation the message is one datagram; what is signed is the same (RFC 9242, 3.3.2)."""
    whole = Fragmentation(enabled=False)
    east, west = (replace(p, ike=(KEM_IKE,), fragmentation=whole) for p in (EAST, WEST))
    ends = connected(world, east, west)
    promise_one_pair(world, *ends.both)


@scenario("rekey-with-ml-kem", each=tuple(f"{wish}-{end}" for wish in WISHES for end in ENDS), tags=TAGS)
def rekey(world: World, what: str) -> None:
    """CREATE_CHILD_SA, then IKE_FOLLOWUP_KE; the old SA serves until all is done, and no packet is lost."""
    wish, _, name = what.rpartition("-")
    ends = _with_kem(world)
    followed = Observe(world.network, message(ExchangeType.IKE_FOLLOWUP_KE, response=False))
    _renew(ends, wish, name)
    world.check("the KEM took part", followed.acted)
    _promise_no_loss(ends)


@scenario("rekey-with-three-rounds", each=WISHES, tags=TAGS)
def rekey_rounds(world: World, wish: str) -> None:
    """Three exchanges follow, each tied to the one before by the replier's link (RFC 9370, 2.2.4)."""
    rounds = ROUNDS["three-rounds"][0]
    east, west = (_with(p, f"aes-256-gcm/sha384/{rounds}", f"aes-256-gcm/{rounds}") for p in (EAST, WEST))
    ends = connected(world, east, west)
    _renew(ends, wish, "west")
    _promise_no_loss(ends)


@scenario("rekey-with-ml-kem-under-loss", link=Link(loss=0.3), each=WISHES, tags=TAGS)
def rekey_under_loss(world: World, wish: str) -> None:
    """Ten renewals from both ends in turn while a third of all datagrams vanishes: of fragments all must arrive."""
    ends = _with_kem(world)
    for turn in range(10):
        _renew(ends, wish, ENDS[turn % 2])
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("rekey-with-ml-kem-lost", each=LOST, tags=TAGS)
def rekey_lost(world: World, what: str) -> None:
    """One message is lost, and repeated."""
    wish = next(wish for wish in WISHES if what.startswith(wish))
    exchange = ExchangeType.CREATE_CHILD_SA if "create" in what else ExchangeType.IKE_FOLLOWUP_KE
    ends = _with_kem(world)
    lost = Lose(world.network, message(exchange, response=what.endswith("response")))
    _renew(ends, wish, "east")
    world.check("the message was lost", lost.acted == 1)
    _promise_no_loss(ends)


@scenario("rekey-with-ml-kem-state-lost", each=WISHES, tags=TAGS)
def state_lost(world: World, wish: str) -> None:
    """The follow-up comes when the replier has given up waiting: STATE_NOT_FOUND, and all again (RFC 9370, 2.2.4)."""
    ends = _with_kem(world)
    asked = Observe(world.network, message(ExchangeType.CREATE_CHILD_SA, response=False))
    # All repetitions of half a minute: 0.5, 1, 2, 4, 8, 16 s, in one fragment or two.
    Lose(world.network, _early_follow_up(world, Seconds(world.now + 30.0)), times=None)
    _renew(ends, wish, "east")
    world.check("it was asked for again", asked.acted >= 2)
    _promise_no_loss(ends)


@scenario("rekey-with-ml-kem-both-at-once", each=WISHES, tags=TAGS)
def both_at_once(world: World, wish: str) -> None:
    """Both renew the same SA at the same instant: who had the lowest nonce does not follow up (RFC 9370, 2.2.4)."""
    ends = _with_kem(world)
    renewed = _renewed(ends, wish)
    # So that each end has answered the other before it knows what became of its own request.
    Delay(world.network, message(ExchangeType.CREATE_CHILD_SA, response=True), Seconds(0.1), times=2)
    for site in ends.both:
        site.command(WISHES[wish](site))
    world.run(until=renewed)
    collisions = [e for site in ends.both for e in (*site.told(RekeyCollision), *site.told(IkeRekeyCollision))]
    world.check("both saw the collision", len(collisions) == 2)
    _promise_no_loss(ends)


@scenario("rekey-with-and-without-ml-kem-both-at-once", each=WISHES, tags=TAGS)
def with_and_without(world: World, wish: str) -> None:
    """Both at once, and only one of the two has key exchanges to follow: each end prefers another suite."""
    ike, esp = (KEM_IKE, KEM_IKE.rpartition("/")[0]), (KEM_ESP, KEM_ESP.rpartition("/")[0])
    ends = connected(world, replace(EAST, ike=ike, esp=esp), replace(WEST, ike=ike[::-1], esp=esp[::-1]))
    promise_one_pair(world, *ends.both)
    ends.forget_losses()
    for _ in range(5):
        renewed = _renewed(ends, wish)
        Delay(world.network, message(ExchangeType.CREATE_CHILD_SA, response=True), Seconds(0.1), times=2)
        for site in ends.both:
            site.command(WISHES[wish](site))
        world.run(until=renewed)
        world.run(limit=Seconds(60.0))
    _promise_no_loss(ends)


@scenario("rekey-with-ml-kem-crossing", each=tuple(f"{a}-{b}" for a in WISHES for b in WISHES), tags=TAGS)
def crossing(world: World, what: str) -> None:
    """Both ends renew something, a little apart: wherever the one is, the other must not spoil it (RFC 7296, 2.25)."""
    here, there = next((a, b) for a in WISHES for b in WISHES if f"{a}-{b}" == what)
    ends = _with_kem(world)
    rng = world.stream("crossing")
    for _ in range(10):
        ends.east.command(WISHES[here](ends.east))
        world.run(limit=Seconds(rng.uniform(0.0, 0.2)))
        ends.west.command(WISHES[there](ends.west))
        world.run(limit=Seconds(30.0))
    _promise_no_loss(ends)


DELETES: dict[str, Wish] = {
    "delete-child": lambda site: commands.TerminateChild(child_of(site)),
    "delete-ike": lambda site: commands.TerminateIke(peer_of(site)),
}


@scenario("rekey-with-ml-kem-crossing", each=tuple(f"{a}-{b}" for a in WISHES for b in DELETES), tags=TAGS)
def crossing_delete(world: World, what: str) -> None:
    """One end deletes what the other renews, at any moment of the further key exchanges; either end, now and then."""
    wish, delete = next((a, b) for a in WISHES for b in DELETES if f"{a}-{b}" == what)
    ends = _with_kem(world)
    rng = world.stream("crossing")
    for _ in range(10):
        here, there = rng.sample(ends.both, 2)
        here.command(WISHES[wish](here))
        world.run(limit=Seconds(rng.uniform(0.0, 0.2)))
        there.command(DELETES[delete](there))
        world.run(limit=Seconds(30.0))
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("rekey-with-ml-kem-storm", link=Link(loss=0.25), tags=TAGS)
def storm(world: World) -> None:
    """Both ends renew and delete at random while a quarter of all datagrams vanishes."""
    ends = _with_kem(world)
    rng = world.stream("wishes")
    wishes: tuple[Wish, ...] = (
        *WISHES.values(),
        *DELETES.values(),
        lambda site: commands.Reauthenticate(peer_of(site)),
    )
    for _ in range(40):
        site = rng.choice(ends.both)
        site.command(rng.choice(wishes)(site))
        world.run(limit=Seconds(rng.choice((0.0, 0.01, 0.1, 1.0, 30.0))))
    world.run(limit=Seconds(60.0))
    world.run(until=carries(ends), limit=Seconds(600.0))
    world.run(limit=Seconds(60.0))
    promise_one_pair(world, *ends.both)


def _connected(world: World, exchanges: str) -> Pair:
    ike = f"aes-256-gcm/sha384/{exchanges}"
    spoken = Observe(world.network, any_ike)
    ends = connected(world, replace(EAST, ike=(ike,)), replace(WEST, ike=(ike,)))
    sizes = [len(frame.body) for frame in spoken.frames if isinstance(frame.body, bytes)]
    world.check(f"no datagram is larger than configured, {max(sizes)} octets", max(sizes) <= 1280 - 20 - 8)
    return ends


def _with_kem(world: World) -> Pair:
    ends = connected(world, _with(EAST, KEM_IKE, KEM_ESP), _with(WEST, KEM_IKE, KEM_ESP))
    promise_one_pair(world, *ends.both)
    ends.forget_losses()
    return ends


def _with(party: Party, ike: str, esp: str) -> Party:
    return replace(party, ike=(ike,), esp=(esp,))


def _promise_rounds(ends: Pair, count: int) -> None:
    for site in ends.both:
        suites = [ike.suite for ike in site.ike_sas]
        ends.world.check(f"{count} rounds", all(s is not None and len(s.additional) == count for s in suites))


def _renew(ends: Pair, wish: str, name: str) -> None:
    renewed = _renewed(ends, wish)
    site = ends.one(name)
    site.command(WISHES[wish](site))
    ends.world.run(until=renewed, limit=Seconds(300.0))
    ends.world.settle(Seconds(300.0))


def _renewed(ends: Pair, wish: str) -> Goal:
    """None of what stands now is left, at either end."""
    before = _names(ends, wish)
    return lambda: not before & _names(ends, wish)


def _names(ends: Pair, wish: str) -> frozenset[object]:
    """The SPIs of what a wish renews, at both ends."""
    if wish == "rekey-ike":
        return frozenset((i.initiator_spi, i.responder_spi) for site in ends.both for i in site.ike_sas)
    return frozenset(frozenset(pair) for site in ends.both for pair in spis(site))


def _promise_no_loss(ends: Pair) -> None:
    world = ends.world
    world.settle()
    world.run(until=carries(ends))
    ends.stop_traffic()
    world.run(limit=Seconds(5.0))
    for flow in (ends.there, ends.back):
        world.check(f"no packet was lost, and not {flow.missing} of {flow.sent}", flow.missing == 0)
    promise_one_pair(world, *ends.both)


def _early_follow_up(world: World, until: Seconds) -> Callable[[Frame], bool]:
    picks = message(ExchangeType.IKE_FOLLOWUP_KE)
    return lambda frame: world.now < until and picks(frame)
