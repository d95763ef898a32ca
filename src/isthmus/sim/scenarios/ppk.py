"""Post-quantum pre-shared keys, mixed in or done without. RFC 8784."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from isthmus.engine import commands
from isthmus.events.ike import FailureReason, IkeEstablished, NegotiationFailed, PpkNotUsed
from isthmus.model.plan import PostquantumKeys, PpkMode
from isthmus.model.quantities import Seconds
from isthmus.model.secret import Secret
from isthmus.sim.goals import Pair, carries, connected, failed, pair, promise_nothing_stands, promise_one_pair
from isthmus.sim.network import Link
from isthmus.sim.plans import EAST, WEST
from isthmus.sim.scenario import scenario
from isthmus.sim.scenarios.crossing import peer_of
from isthmus.sim.site import Site
from isthmus.sim.world import World

TAGS = ("issue3",)
ENDS = ("east", "west")
MODES = tuple(PpkMode)
BOTH_MODES = tuple(f"{here}-{there}" for here, there in product(MODES, MODES))

ONE = {b"one": Secret(b"a key of which no quantum computer knows")}
OTHER = {b"two": Secret(b"and another one, which is not the same")}
FALSE = {b"one": Secret(b"a key that only bears the same name as it")}
TEN = {f"key{n}".encode(): Secret(f"number {n} of several keys, all long".encode()) for n in range(10)}


def mode_of(name: str) -> tuple[PpkMode, PpkMode]:
    """East's and west's."""
    here, there = name.split("-")
    return PpkMode(here), PpkMode(there)


@scenario("ppk", each=BOTH_MODES, tags=TAGS)
def used(world: World, name: str) -> None:
    """Both have the key: it is mixed in, whoever insists on it."""
    here, there = mode_of(name)
    ends = _connected(world, PostquantumKeys(here, ONE), PostquantumKeys(there, ONE))
    _promise(ends, "PPK one")


@scenario("ppk-and-ml-kem", link=Link(loss=0.2), tags=TAGS)
def with_kem(world: World) -> None:
    """The key is mixed into what the last IKE_INTERMEDIATE exchange left."""
    keys = PostquantumKeys(PpkMode.MANDATORY, ONE)
    ike = "aes-256-gcm/sha384/group31/+ml-kem-768"
    ends = connected(world, replace(EAST, ike=(ike,), ppk=keys), replace(WEST, ike=(ike,), ppk=keys))
    _promise(ends, "PPK one")


@scenario("ppk-several", tags=TAGS)
def several(world: World) -> None:
    """Of ten keys the initiator takes any, and the same one whenever it authenticates anew."""
    keys = PostquantumKeys(PpkMode.MANDATORY, TEN)
    ends = _connected(world, keys, keys)
    for _ in range(3):
        ends.east.command(commands.RekeyIke(peer_of(ends.east)))
        world.run(limit=Seconds(10.0))
        ends.east.command(commands.Reauthenticate(peer_of(ends.east)))
        world.run(limit=Seconds(30.0))
    taken = {event.ppk for event in ends.east.told(IkeEstablished)}
    world.check("it authenticated anew", len(ends.east.told(IkeEstablished)) == 4)
    world.check(f"one key was used all the time, not {taken}", len(taken) == 1 and None not in taken)
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("ppk-preferred-without-at", each=ENDS, tags=TAGS)
def one_side_without(world: World, who: str) -> None:
    """One end has none: the tunnel comes up without, and the end that would have liked it says so."""
    keys = PostquantumKeys(PpkMode.PREFERRED, ONE)
    ends = _connected(world, None if who == "east" else keys, None if who == "west" else keys)
    _promise(ends, None)
    world.check("it is not passed over in silence", ends.other(who).told(PpkNotUsed))


@scenario("ppk-preferred-mismatch", tags=TAGS)
def preferred_mismatch(world: World) -> None:
    """Each has a key that the other has not: both go on without, and say which."""
    ends = _connected(world, PostquantumKeys(PpkMode.PREFERRED, ONE), PostquantumKeys(PpkMode.PREFERRED, OTHER))
    _promise(ends, None)
    told = ends.west.told(PpkNotUsed)
    world.check(
        "both IDs are in the event", told and (told[0].they_said, told[0].we_said) == (("PPK one",), ("PPK two",))
    )
    world.check("the initiator knows as well", ends.east.told(PpkNotUsed))


@scenario("ppk-mandatory-without-at", each=ENDS, tags=TAGS)
def mandatory_without(world: World, who: str) -> None:
    """One end insists, the other has none: no IKE SA, and the end that insists says why."""
    keys = PostquantumKeys(PpkMode.MANDATORY, ONE)
    ends = _apart(world, None if who == "east" else keys, None if who == "west" else keys)
    _promise_failure(ends, ends.other(who), FailureReason.PPK_MISMATCH, "PPK one")


@scenario(
    "ppk-mandatory-mismatch", each=("mandatory-mandatory", "mandatory-preferred", "preferred-mandatory"), tags=TAGS
)
def mandatory_mismatch(world: World, name: str) -> None:
    """Different keys, and at least one end insists: the responder refuses, and can show both IDs."""
    here, there = mode_of(name)
    ends = _apart(world, PostquantumKeys(here, ONE), PostquantumKeys(there, OTHER))
    _promise_failure(ends, ends.west, FailureReason.PPK_MISMATCH, "PPK two")


@scenario("ppk-false", each=BOTH_MODES, tags=TAGS)
def false_key(world: World, name: str) -> None:
    """One ID for two different keys: an error of configuration, never a reason to go on without (RFC 8784, 3)."""
    here, there = mode_of(name)
    ends = _apart(world, PostquantumKeys(here, ONE), PostquantumKeys(there, FALSE))
    # Only an initiator that may do without proves that nothing but this key is wrong.
    reason = FailureReason.PPK_MISMATCH if here is PpkMode.PREFERRED else FailureReason.AUTHENTICATION_FAILED
    _promise_failure(ends, ends.west, reason, "PPK one, as it is configured here")


def _connected(world: World, here: PostquantumKeys | None, there: PostquantumKeys | None) -> Pair:
    ends = connected(world, replace(EAST, ppk=here), replace(WEST, ppk=there))
    promise_one_pair(world, *ends.both)
    return ends


def _apart(world: World, here: PostquantumKeys | None, there: PostquantumKeys | None) -> Pair:
    ends = pair(world, replace(EAST, ppk=here), replace(WEST, ppk=there))
    ends.begin_traffic()
    return ends


def _promise(ends: Pair, key: str | None) -> None:
    """Which key both ends say that they use; and a child that grows from it after each kind of rekey."""
    world = ends.world
    for site in ends.both:
        used = site.told(IkeEstablished)[-1].ppk
        world.check(f"{site.name} uses {key}, not {used}", used == key)
    ends.east.command(commands.RekeyIke(peer_of(ends.east)))
    world.run(limit=Seconds(30.0))
    ends.west.command(commands.RekeyIke(peer_of(ends.west)))
    world.run(limit=Seconds(30.0))
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


def _promise_failure(ends: Pair, refusing: Site, reason: FailureReason, ours: str) -> None:
    world = ends.world
    world.run(until=failed(refusing, reason))
    told = [event for event in refusing.told(NegotiationFailed) if event.reason is reason]
    world.check(f"the event says {ours}, not {told[0].we_said}", ours in told[0].we_said and told[0].they_said)
    world.run(limit=Seconds(60.0))
    promise_nothing_stands(world, *ends.both)
    world.check("not a packet passed", ends.there.received + ends.back.received == 0)
    world.check("no IKE SA was thought to stand", all(not site.told(IkeEstablished) for site in ends.both))
