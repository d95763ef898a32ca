"""IKE version 1: both modes, renewal of both phases, loss, crossings, dead peers. RFC 2409, 3706 and 3947."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from isthmus.engine import commands
from isthmus.events.ike import FailureReason, IkeEstablished, PeerSilent, WeakAlgorithm
from isthmus.model.plan import Dpd, ExchangeMode, SessionSettings, Version
from isthmus.model.quantities import NO_SPI, MessageId, Seconds
from isthmus.sim.goals import Pair, carries, connected, failed, pair, promise_nothing_stands, promise_one_pair, spis, up
from isthmus.sim.middle import Delay, Lose, Tamper, any_ike
from isthmus.sim.network import Frame, Link
from isthmus.sim.plans import EAST, WEST, Party, ProxyId
from isthmus.sim.reading import header_of
from isthmus.sim.scenario import scenario
from isthmus.sim.scenarios.crossing import child_of
from isthmus.sim.site import Site
from isthmus.sim.tamper import Flood
from isthmus.sim.world import World
from isthmus.wire.ikev1 import header as header_v1
from isthmus.wire.ikev1.message import encode
from isthmus.wire.ikev1.payloads import Notify
from isthmus.wire.ikev1.registry import NotifyType
from isthmus.wire.registry import ExchangeTypeV1

ENDS = ("east", "west")
MODES = ("main", "aggressive")
TAGS = ("issue4",)
REFUSALS = ("NO_PROPOSAL_CHOSEN", "AUTHENTICATION_FAILED", "INVALID_COOKIE", "PAYLOAD_MALFORMED")
IN_V1 = (Version.IKEV1,)
SUITES = {
    "3des-md5": ("3des/md5/md5/group1", "3des/md5"),
    "aes-sha1": ("aes-128-cbc/sha1/sha1/group5", "aes-192-cbc/sha1/group2"),
    "aes-sha512": ("aes-256-cbc/sha512/sha512/group20", "aes-256-cbc/sha512/group19"),
    "gcm": ("aes-256-cbc/sha384/sha384/group14", "aes-256-gcm/group20"),
    "ccm": ("aes-192-cbc/sha256/sha256/group19", "aes-128-ccm"),
    "null": ("des/sha1/sha1/group2", "null/sha256"),
}
TWO = (ProxyId("lan", "10.1.0.0/16", "10.2.0.0/16"), ProxyId("web", "10.1.0.0/16", "10.9.0.0/24", 6))


def _speaks_v1(party: Party, mode: str = "auto") -> Party:
    return replace(
        party,
        version=Version.IKEV1,
        exchange_mode=ExchangeMode(mode),
        ike=("aes-256-cbc/sha256/sha256/group19",),
        esp=("aes-128-cbc/sha256/group19",),
    )


EAST_V1, WEST_V1 = _speaks_v1(EAST), _speaks_v1(WEST)


@scenario("set-up", each=MODES, tags=TAGS, versions=IN_V1)
def set_up(world: World, mode: str) -> None:
    """One end begins, the other waits; packets then pass both ways."""
    ends = connected(world, _speaks_v1(EAST, mode), _speaks_v1(WEST, mode))
    promise_one_pair(world, *ends.both)
    weak = {event.algorithm for event in ends.east.told(WeakAlgorithm)}
    named = any("aggressive" in algorithm for algorithm in weak)
    world.check("aggressive mode is named as weak, main mode is not", named == (mode == "aggressive"))


@scenario("set-up-under-loss", link=Link(loss=0.3), each=MODES, tags=TAGS, versions=IN_V1)
def set_up_under_loss(world: World, mode: str) -> None:
    """A third of all datagrams vanishes; whoever spoke last repeats, and the tunnel comes up."""
    ends = connected(world, _speaks_v1(EAST, mode), _speaks_v1(WEST, mode))
    promise_one_pair(world, *ends.both)


@scenario("set-up-with", each=SUITES, tags=TAGS, versions=IN_V1)
def with_suite(world: World, name: str) -> None:
    """Each kind of algorithm, from the attributes of an offer to a packet."""
    ike, esp = SUITES[name]
    ends = connected(world, replace(EAST_V1, ike=(ike,), esp=(esp,)), replace(WEST_V1, ike=(ike,), esp=(esp,)))
    promise_one_pair(world, *ends.both)


@scenario("two-proxy-ids", tags=TAGS, versions=IN_V1)
def two_proxy_ids(world: World) -> None:
    """Each proxy ID is a Quick Mode of its own, with its protocol, exactly as it is written."""
    east = replace(EAST_V1, proxy_ids=TWO)
    west = replace(WEST_V1, proxy_ids=tuple(proxy.mirrored for proxy in TWO))
    ends = connected(world, east, west)
    promise_one_pair(world, *ends.both)


@scenario("lost-message", each=map(str, range(9)), tags=TAGS, versions=IN_V1)
def lost_message(world: World, number: str) -> None:
    """Each message of Main Mode and Quick Mode in turn is lost once."""
    ends = pair(world, EAST_V1, WEST_V1)
    lost = Lose(world.network, any_ike, skip=int(number))
    world.run(until=up(*ends.both), limit=Seconds(60.0))
    world.check("the message was lost", lost.acted == 1)
    ends.begin_traffic()
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("spoilt-message", each=map(str, range(9)), tags=TAGS, versions=IN_V1)
def spoilt_message(world: World, number: str) -> None:
    """The last octet of each message of Main Mode and Quick Mode in turn is wrong: the tunnel comes up all the same."""
    tamper = Tamper(world.network, any_ike, lambda octets: octets[:-1] + bytes([octets[-1] ^ 1]), skip=int(number))
    ends = connected(world, EAST_V1, WEST_V1)
    world.check("a message was spoilt", tamper.acted == 1)
    promise_one_pair(world, *ends.both)
    world.run(until=carries(ends))


@scenario("late-message", each=map(str, range(9)), tags=TAGS, versions=IN_V1)
def late_message(world: World, number: str) -> None:
    """Each message in turn comes half a minute late, when its repetition has long been answered."""
    late = Delay(world.network, any_ike, Seconds(30.0), skip=int(number))
    ends = connected(world, EAST_V1, WEST_V1)
    promise_one_pair(world, *ends.both)
    before = spis(ends.east)
    world.run(limit=Seconds(60.0))
    world.check("a message was late", late.acted == 1)
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    promise_one_pair(world, *ends.both)


@scenario("forged-refusal", each=REFUSALS, tags=TAGS, versions=IN_V1)
def forged_refusal(world: World, notify: str) -> None:
    """To each first message somebody is quicker with a no than the peer with its yes: a reason to doubt, no more."""

    def forge(frame: Frame) -> None:
        header = header_of(frame)
        if header is not None and header.responder_spi == NO_SPI and frame.source.address == ends.east.address:
            answer = header_v1.Header(
                header.initiator_spi, NO_SPI, ExchangeTypeV1.INFORMATIONAL, MessageId(7), encrypted=False
            )
            octets = encode(answer, [Notify(NotifyType[notify])])
            world.network.deliver(Frame(frame.destination, frame.source, octets), Seconds(0.001))

    world.network.taps.append(forge)
    ends = pair(world, EAST_V1, WEST_V1)
    world.run(until=up(*ends.both), limit=Seconds(60.0))
    world.check("it took no second attempt", len(ends.west.told(IkeEstablished)) == 1)
    ends.begin_traffic()
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("flood-of-half-open", tags=TAGS, versions=IN_V1)
def flood(world: World) -> None:
    """Version 1 has no cookies: strangers can fill the table of half-open IKE SAs, and no more than that.

    What stands is not touched, and once they go a friend gets in.
    """
    settings = SessionSettings(cookie_activation_threshold=20, maximum_half_opened_sa=100)
    ends = pair(world, EAST_V1, replace(WEST_V1, knows="dynamic", settings=settings))
    poured = Flood(world.network, world.agenda, world.stream("flood"), every=Seconds(0.005))
    world.run(until=up(*ends.both), limit=Seconds(5.0))
    ends.begin_traffic()
    before = spis(ends.east)
    world.run(limit=Seconds(10.0))
    world.check("the table is full", sum(ike.state == "connecting" for ike in ends.west.ike_sas) == 100)
    world.check("what stands is not touched", spis(ends.east) == before)
    ends.east.kill()
    ends.east.boot()
    world.run(limit=Seconds(5.0))
    poured.stop()
    world.run(until=up(*ends.both), limit=Seconds(120.0))
    world.run(until=carries(ends))
    world.run(limit=Seconds(60.0))
    promise_one_pair(world, *ends.both)


@scenario("rekey-child-lost-message", each=map(str, range(3)), tags=TAGS, versions=IN_V1)
def rekey_child_lost(world: World, number: str) -> None:
    """A message of Quick Mode is lost while it renews a Child SA, and nothing else."""
    ends = connected(world, EAST_V1, WEST_V1)
    promise_one_pair(world, *ends.both)
    ends.forget_losses()
    before = spis(ends.east)
    lost = Lose(world.network, _quick, skip=int(number))
    ends.east.command(commands.RekeyChild(child_of(ends.east)))
    world.run(until=lambda: not spis(ends.east) & before)
    world.run(limit=Seconds(30.0))
    world.check("the message was lost", lost.acted == 1)
    _promise_no_loss(ends)


@scenario("rekeyed-child-stays", each=ENDS, tags=TAGS, versions=IN_V1)
def rekeyed_child_stays(world: World, name: str) -> None:
    """Every delete of the old Child SA is lost: the other end lets go of it by itself."""
    ends = connected(world, EAST_V1, WEST_V1)
    promise_one_pair(world, *ends.both)
    ends.forget_losses()
    asking = ends.one(name)
    lost = Lose(world.network, _informational_of(asking), times=None)
    asking.command(commands.RekeyChild(child_of(asking)))
    world.run(limit=Seconds(200.0))
    world.check("each was lost", lost.acted >= 4)
    _promise_no_loss(ends)


@scenario("lifetimes", tags=TAGS, versions=IN_V1)
def lifetimes(world: World) -> None:
    """Half an hour with short lifetimes: both phases are renewed again and again, and nothing is lost."""
    east, west = (replace(p, ike_lifetime=Seconds(400.0), child_lifetime=Seconds(150.0)) for p in (EAST_V1, WEST_V1))
    ends = connected(world, east, west, Seconds(0.5))
    ends.forget_losses()
    world.run(limit=Seconds(1800.0))
    _promise_no_loss(ends)


@scenario("passive-end-renews", tags=TAGS, versions=IN_V1)
def passive_end_renews(world: World) -> None:
    """The end that only answers keeps phase 1 less long: it calls its peer where that is, and nothing is lost."""
    east, west = (
        replace(EAST_V1, dpd=Dpd(enabled=False)),
        replace(WEST_V1, ike_lifetime=Seconds(300.0), knows="dynamic"),
    )
    ends = connected(world, east, west, Seconds(0.5))
    ends.forget_losses()
    world.run(limit=Seconds(1000.0))
    count = sum(event.role == "initiator" for event in ends.west.told(IkeEstablished))
    world.check("it has begun itself", count)
    _promise_no_loss(ends)


@scenario("shorter-lifetime", each=ENDS, tags=TAGS, versions=IN_V1)
def shorter_lifetime(world: World, name: str) -> None:
    """The shorter lifetime counts at both ends: the responder tells it by RESPONDER-LIFETIME (RFC 2407, 4.6.3.1)."""
    short = Seconds(120.0)
    east, west = (replace(p, child_lifetime=short) if p.name == name else p for p in (EAST_V1, WEST_V1))
    ends = connected(world, east, west)
    for site in ends.both:
        (child,) = (c for ike in site.ike_sas for c in ike.children)
        expires = child.expires_at
        world.check(f"{site.name} ends it in time", expires is not None and expires <= world.now + short)


@scenario("dead-peer", tags=TAGS, versions=IN_V1)
def dead_peer(world: World) -> None:
    """The other end loses power and comes back: R-U-THERE goes unanswered, and a new tunnel is made."""
    dpd = Dpd(True, Seconds(2.0), 3)
    ends = connected(world, replace(EAST_V1, dpd=dpd), replace(WEST_V1, dpd=dpd))
    ends.west.kill()
    world.run(until=lambda: bool(ends.east.told(PeerSilent)), limit=Seconds(30.0))
    ends.west.boot()
    world.run(until=up(*ends.both), limit=Seconds(200.0))
    world.run(until=carries(ends))


@scenario("idle-under-loss", link=Link(loss=0.3), tags=(*TAGS, "hours"), versions=IN_V1)
def idle_under_loss(world: World) -> None:
    """Nobody sends anything for twenty minutes and almost a third of all questions is lost: seldom is that taken for
    a peer that has forgotten us."""
    ends = connected(world, EAST_V1, WEST_V1)
    ends.stop_traffic()
    made = len(ends.east.told(IkeEstablished))
    world.run(limit=Seconds(1200.0))
    made = len(ends.east.told(IkeEstablished)) - made
    world.check(f"of some 240 questions at most 12 made another IKE SA, and not {made}", made <= 12)
    world.network.link = Link()
    ends.begin_traffic()
    world.run(until=carries(ends), limit=Seconds(200.0))


@scenario("wrong-secret", each=MODES, tags=TAGS, versions=IN_V1)
def wrong_secret(world: World, mode: str) -> None:
    """Two pre-shared keys differ: nothing stands, and both ends know why."""
    ends = pair(world, _speaks_v1(EAST, mode), replace(_speaks_v1(WEST, mode), psk=b"another one altogether"))
    world.run(until=failed(ends.west if mode == "main" else ends.east, FailureReason.AUTHENTICATION_FAILED))
    promise_nothing_stands(world, *ends.both)


@scenario("unknown-identity", each=MODES, tags=TAGS, versions=IN_V1)
def unknown_identity(world: World, mode: str) -> None:
    """Nobody knows the name: the responder says so to its operator, and to the stranger nothing."""
    stranger = replace(_speaks_v1(EAST, mode), identity="stranger.example")
    ends = pair(world, stranger, replace(_speaks_v1(WEST, mode), looks_for="east.example"))
    world.run(until=failed(ends.west, FailureReason.IDENTITY_MISMATCH))
    promise_nothing_stands(world, *ends.both)


@scenario("no-proposal", tags=TAGS, versions=IN_V1)
def no_proposal(world: World) -> None:
    """No suite in common: one unprotected answer, believed only after a while."""
    ends = pair(world, EAST_V1, replace(WEST_V1, ike=("3des/sha1/sha1/group2",)))
    world.run(until=failed(ends.west, FailureReason.NO_PROPOSAL_CHOSEN))
    world.run(until=failed(ends.east, FailureReason.NO_PROPOSAL_CHOSEN))
    promise_nothing_stands(world, *ends.both)


@scenario("other-proxy-id", tags=TAGS, versions=IN_V1)
def other_proxy_id(world: World) -> None:
    """The proxy IDs overlap and are not the same: version 1 does not narrow."""
    wide = (ProxyId("lan", "10.1.0.0/16", "10.0.0.0/8"),)
    ends = pair(world, replace(EAST_V1, proxy_ids=wide), WEST_V1)
    world.run(until=failed(ends.west, FailureReason.SELECTORS_UNACCEPTABLE))
    world.run(until=failed(ends.east, FailureReason.SELECTORS_UNACCEPTABLE))
    promise_nothing_stands(world, *ends.both)


@scenario("version-mismatch", each=ENDS, tags=TAGS, versions=IN_V1)
def version_mismatch(world: World, name: str) -> None:
    """One end speaks version 1 only, the other version 2 only: nothing stands, and nothing is kept."""
    east, west = (p if p.name == name else replace(p, version=Version.IKEV2) for p in (EAST_V1, WEST_V1))
    ends = pair(world, east, west)
    world.run(until=failed(ends.east, FailureReason.NO_ANSWER), limit=Seconds(400.0))
    promise_nothing_stands(world, *ends.both)


def _quick(frame: Frame) -> bool:
    header = header_of(frame)
    return header is not None and int(header.exchange) == ExchangeTypeV1.QUICK_MODE


def _informational_of(site: Site) -> Callable[[Frame], bool]:
    def picks(frame: Frame) -> bool:
        header = header_of(frame)
        informs = header is not None and int(header.exchange) == ExchangeTypeV1.INFORMATIONAL
        return informs and frame.source.address == site.address

    return picks


def _promise_no_loss(ends: Pair) -> None:
    world = ends.world
    world.run(until=carries(ends))
    ends.stop_traffic()
    world.run(limit=Seconds(5.0))
    for flow in (ends.there, ends.back):
        world.check(f"no packet was lost, and not {flow.missing} of {flow.sent}", flow.missing == 0)
    promise_one_pair(world, *ends.both)
