"""Renewal of keys without a lost packet. RFC 7296, 2.8."""

from __future__ import annotations

from dataclasses import replace

from isthmus.engine import commands
from isthmus.engine.views import IkeSaView
from isthmus.events.child import ChildInstalled
from isthmus.events.ike import IkeEstablished
from isthmus.model.plan import Start, Version
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import Pair, carries, connected, pair, promise_one_pair, spis
from isthmus.sim.middle import Lose, Observe, message
from isthmus.sim.network import Link
from isthmus.sim.plans import EAST, WEST, Party, ProxyId, packet_for
from isthmus.sim.scenario import BOTH, scenario
from isthmus.sim.scenarios.crossing import child_of, peer_of
from isthmus.sim.scenarios.nat import connected_behind_nat
from isthmus.sim.site import Site
from isthmus.sim.world import World
from isthmus.wire.registry import ExchangeType

ENDS = ("east", "west")
STEADY = Seconds(0.1)
"""Between two packets where octets are counted."""

PFS = "aes-128-gcm/group31"
THREE = tuple(ProxyId(f"net{n}", f"10.1.{n}.0/24", f"10.2.{n}.0/24") for n in range(3))


@scenario("rekey-child", versions=BOTH, each=ENDS)
def rekey_child(world: World, name: str) -> None:
    """One end renews the Child SA; the old one serves until the peer has moved, and no packet is lost."""
    ends = connected(world)
    _rekey_child(ends, name)
    _promise_no_loss(ends)


@scenario("rekey-child-with-pfs", versions=BOTH, each=ENDS)
def rekey_child_pfs(world: World, name: str) -> None:
    """A fresh key exchange goes with it."""
    ends = connected(world, replace(EAST, esp=(PFS,)), replace(WEST, esp=(PFS,)))
    _rekey_child(ends, name)
    _promise_no_loss(ends)


@scenario("rekey-child-invalid-ke", each=ENDS)
def rekey_child_invalid_ke(world: World, name: str) -> None:
    """The requester guesses a group that the other end does not want: INVALID_KE_PAYLOAD, and again (RFC 7296, 1.3)."""
    wide, narrow = "aes-128-gcm/group19/group31", PFS
    east, west = (wide, narrow) if name == "east" else (narrow, wide)
    ends = connected(world, replace(EAST, esp=(east,)), replace(WEST, esp=(west,)))
    asked = Observe(world.network, message(ExchangeType.CREATE_CHILD_SA, source=ends.one(name), response=False))
    _rekey_child(ends, name)
    world.check("the first guess was refused", asked.acted >= 2)
    _promise_no_loss(ends)


WRONG_GUESSES = ("clean", "late-retry-east", "late-retry-west", "under-loss")


@scenario("rekey-child-invalid-ke-both-at-once", each=WRONG_GUESSES)
def rekey_child_invalid_ke_both(world: World, weather: str) -> None:
    """Both renew the Child SA at once, and each guesses a group that the other does not want."""
    east, west = "aes-128-gcm/group19/group31", "aes-128-gcm/group20/group31"
    ends = connected(world, replace(EAST, esp=(east,)), replace(WEST, esp=(west,)))
    before = spis(ends.east)
    _spoil_retry(ends, weather)
    for site in ends.both:
        site.command(commands.RekeyChild(child_of(site)))
    world.run(until=lambda: not before & (spis(ends.east) | _mirrored(ends.west)), limit=Seconds(300.0))
    _promise_renewal(ends, weather)


@scenario("rekey-ike-invalid-ke-both-at-once", each=WRONG_GUESSES)
def rekey_ike_invalid_ke_both(world: World, weather: str) -> None:
    """The same with the IKE SA."""
    east, west = "aes-128-gcm/sha256/group19/group31", "aes-128-gcm/sha256/group20/group31"
    ends = connected(world, replace(EAST, ike=(east,)), replace(WEST, ike=(west,)))
    before = _ike_spis(ends.east)
    _spoil_retry(ends, weather)
    for site in ends.both:
        site.command(commands.RekeyIke(peer_of(site)))
    world.run(until=lambda: not before & (_ike_spis(ends.east) | _ike_spis(ends.west)), limit=Seconds(300.0))
    _promise_renewal(ends, weather)


@scenario("rekey-child-lost", each=("request", "response", "delete", "delete-answer"))
def rekey_child_lost(world: World, what: str) -> None:
    """One message of the rekey or of the delete that follows it is lost, and repeated."""
    ends = connected(world)
    exchange = ExchangeType.INFORMATIONAL if what.startswith("delete") else ExchangeType.CREATE_CHILD_SA
    answer = what in ("response", "delete-answer")
    source = ends.west if answer else ends.east
    lost = Lose(world.network, message(exchange, source=source, response=answer))
    _rekey_child(ends, "east")
    world.run(limit=Seconds(30.0))
    world.check("the message was lost", lost.acted == 1)
    _promise_no_loss(ends)


@scenario("rekey-child-under-loss", versions=BOTH, link=Link(loss=0.3), each=ENDS)
def rekey_child_under_loss(world: World, name: str) -> None:
    """Twenty renewals while a third of all datagrams vanishes."""
    ends = connected(world)
    for _ in range(20):
        _rekey_child(ends, name)
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("rekey-child-by-time", versions=BOTH, each=("both", "east-shorter", "west-shorter"), tags=("hours",))
def rekey_child_by_time(world: World, who: str) -> None:
    """Ten minutes of lifetime, two hours of traffic: renewed in time, again and again, and no packet is lost."""
    ten, hours = Seconds(600.0), Seconds(3600.0 * 8)
    east = replace(EAST, child_lifetime=ten if who != "west-shorter" else hours)
    west = replace(WEST, child_lifetime=ten if who != "east-shorter" else hours)
    ends = connected(world, east, west)
    ends.forget_losses()
    world.run(limit=Seconds(7200.0))
    count = len(ends.east.told(ChildInstalled))
    world.check(f"between 12 and 20 Child SAs, not {count}", 12 <= count <= 20)
    _promise_no_loss(ends)


@scenario("rekey-child-by-octets", versions=BOTH, each=ENDS)
def rekey_child_by_octets(world: World, name: str) -> None:
    """A byte lifetime renews as well."""
    octets = 40_000
    east, west = (replace(p, child_octets=octets if p.name == name else None) for p in (EAST, WEST))
    ends = connected(world, east, west, STEADY)
    ends.forget_losses()
    world.run(limit=Seconds(600.0))
    world.check("it was renewed", len(ends.east.told(ChildInstalled)) >= 4)
    _promise_no_loss(ends)


@scenario("rekey-child-both-at-once", versions=BOTH)
def rekey_child_both(world: World) -> None:
    """Both renew the same Child SA at the same instant: the lowest nonce loses, one stays (RFC 7296, 2.8.1)."""
    ends = connected(world)
    before = spis(ends.east)
    for site in ends.both:
        site.command(commands.RekeyChild(child_of(site)))
    world.run(limit=Seconds(60.0))
    world.check("it was renewed", not before & spis(ends.east))
    _promise_no_loss(ends)


@scenario("rekey-ike", versions=BOTH, each=ENDS)
def rekey_ike(world: World, name: str) -> None:
    """One end renews the IKE SA: the children move to it unchanged (RFC 7296, 1.3.2 and 2.18)."""
    ends = _at_rest(world)
    before = spis(ends.east)
    _rekey_ike(ends, name)
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    _promise_no_loss(ends)


@scenario("rekey-ike-invalid-ke", each=ENDS)
def rekey_ike_invalid_ke(world: World, name: str) -> None:
    """The requester of the rekey prefers a group that the other end does not want."""
    wide, narrow = "aes-128-gcm/sha256/group19/group31", "aes-128-gcm/sha256/group31"
    east, west = (wide, narrow) if name == "east" else (narrow, wide)
    ends = connected(world, replace(EAST, ike=(east,)), replace(WEST, ike=(west,)))
    _rekey_ike(ends, name)
    _promise_no_loss(ends)


@scenario("rekey-ike-under-loss", versions=BOTH, link=Link(loss=0.3), each=ENDS)
def rekey_ike_under_loss(world: World, name: str) -> None:
    """Ten renewals while a third of all datagrams vanishes."""
    ends = _at_rest(world)
    for _ in range(10):
        _rekey_ike(ends, name)
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("rekey-ike-both-at-once", versions=BOTH)
def rekey_ike_both(world: World) -> None:
    """Both renew the IKE SA at the same instant: one new IKE SA stays, with all children (RFC 7296, 2.8.2)."""
    ends = connected(world)
    before = spis(ends.east)
    for site in ends.both:
        site.command(commands.RekeyIke(peer_of(site)))
    world.run(limit=Seconds(60.0))
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    _promise_no_loss(ends)


@scenario("rekey-ike-by-time", versions=BOTH, tags=("hours",))
def rekey_ike_by_time(world: World) -> None:
    """An IKE lifetime of half an hour through three hours, three children with lifetimes of their own."""
    life, child = Seconds(1800.0), Seconds(900.0)
    east, west = (_with_three(replace(p, ike_lifetime=life, child_lifetime=child)) for p in (EAST, WEST))
    ends = connected(world, east, west)
    ends.forget_losses()
    world.run(limit=Seconds(3600.0 * 3))
    _promise_no_loss(ends)


@scenario("reauthenticate", versions=BOTH, each=ENDS)
def reauthenticate(world: World, name: str) -> None:
    """A new IKE SA from nothing before the old one goes, in version 2 with new children: no packet is lost."""
    ends = connected(world, EAST, replace(WEST, passive=False))
    promise_one_pair(world, *ends.both)
    ends.forget_losses()
    before, ike = spis(ends.east), _ike_spis(ends.east)
    ends.one(name).command(commands.Reauthenticate(peer_of(ends.one(name))))
    world.run(until=lambda: not ike & _ike_spis(ends.east))
    world.check(
        "the children are new, or are adopted", bool(before & spis(ends.east)) == (world.version is Version.IKEV1)
    )
    world.run(limit=Seconds(60.0))
    _promise_no_loss(ends)


@scenario("reauthenticate-by-time", versions=BOTH, tags=("hours",))
def reauthenticate_by_time(world: World) -> None:
    """Every second lifetime of the IKE SA ends in a new authentication."""
    east = replace(EAST, ike_lifetime=Seconds(900.0), authentication_multiple=2)
    ends = connected(world, east, replace(WEST, ike_lifetime=Seconds(3600.0 * 8)))
    ends.forget_losses()
    world.run(limit=Seconds(3600.0 * 3))
    _promise_no_loss(ends)


@scenario("reauthenticate-on-demand", each=ENDS)
def reauthenticate_on_demand(world: World, name: str) -> None:
    """What stands only because of its traffic follows the new IKE SA, the second proxy ID as well as the first."""
    east, west = (_with_three(replace(p, start=Start.ON_DEMAND)) for p in (EAST, replace(WEST, passive=False)))
    ends = pair(world, east, west)
    flows = [world.flow(ends.east, ends.west, packet_for(proxy)) for proxy in THREE[:2]]
    world.run(limit=Seconds(1.0))
    for flow in flows:
        flow.start()
    world.run(until=lambda: all(flow.received >= 3 for flow in flows))
    world.run(limit=Seconds(10.0))
    for flow in flows:
        flow.forget()
    ike = _ike_spis(ends.east)
    ends.one(name).command(commands.Reauthenticate(peer_of(ends.one(name))))
    world.run(until=lambda: not ike & _ike_spis(ends.east), limit=Seconds(60.0))
    for flow in flows:
        flow.stop()
    world.run(limit=Seconds(20.0))
    for flow in flows:
        world.check(f"no packet was lost, and not {flow.missing} of {flow.sent}", flow.missing == 0)
    world.check("what nobody used is not there", len(spis(ends.east)) == 2)


@scenario("authentication-lifetime", each=("peer-honours", "peer-is-cut-off", "behind-nat"), tags=("hours",))
def authentication_lifetime(world: World, how: str) -> None:
    """An end that only answers tells how long an authentication is good (RFC 4478). The peer renews it; where it does
    not, this end begins, to where the peer is now."""
    limited = replace(WEST, ike_lifetime=Seconds(900.0), authentication_multiple=2)
    if how == "behind-nat":
        ends, _ = connected_behind_nat(world, replace(limited, knows="dynamic"))
    else:
        ends = connected(world, EAST, limited)
    asked = message(ExchangeType.IKE_SA_INIT, response=False)
    if how != "peer-honours":
        Lose(world.network, lambda frame: asked(frame) and frame.source.address != ends.west.address, times=None)
    ends.forget_losses()
    world.run(limit=Seconds(1900.0))
    roles = [event.role for event in ends.west.told(IkeEstablished)]
    expected = ["responder", "responder" if how == "peer-honours" else "initiator"]
    world.check(f"it was authenticated anew by {expected[1]}, and not {roles}", roles == expected)
    _promise_no_loss(ends)


def _at_rest(world: World) -> Pair:
    ends = connected(world)
    promise_one_pair(world, *ends.both)
    ends.forget_losses()
    return ends


def _spoil_retry(ends: Pair, weather: str) -> None:
    ends.forget_losses()
    if weather == "under-loss":
        ends.world.network.link = Link(loss=0.3)
    elif weather != "clean":
        late = ends.one(weather.removeprefix("late-retry-"))
        Lose(ends.world.network, message(ExchangeType.CREATE_CHILD_SA, source=late, response=False), skip=1)


def _promise_renewal(ends: Pair, weather: str) -> None:
    ends.world.network.link = Link()
    if weather == "under-loss":
        ends.world.run(until=carries(ends))
        promise_one_pair(ends.world, *ends.both)
    else:
        _promise_no_loss(ends)


def _with_three(party: Party) -> Party:
    proxies = THREE if party.name == "east" else tuple(proxy.mirrored for proxy in THREE)
    return replace(party, proxy_ids=proxies)


def _rekey_child(ends: Pair, name: str) -> None:
    before = spis(ends.east)
    site = ends.one(name)
    site.command(commands.RekeyChild(child_of(site)))
    ends.world.run(until=lambda: not before & (spis(ends.east) | _mirrored(ends.west)), limit=Seconds(300.0))
    ends.world.settle(Seconds(300.0))


def _rekey_ike(ends: Pair, name: str) -> None:
    before = _ike_spis(ends.east)
    site = ends.one(name)
    site.command(commands.RekeyIke(peer_of(site)))
    ends.world.run(until=lambda: not before & (_ike_spis(ends.east) | _ike_spis(ends.west)), limit=Seconds(300.0))
    ends.world.settle(Seconds(300.0))


def _promise_no_loss(ends: Pair) -> None:
    world = ends.world
    world.run(until=carries(ends))
    ends.stop_traffic()
    world.run(limit=Seconds(5.0))
    for flow in (ends.there, ends.back):
        world.check(f"no packet was lost, and not {flow.missing} of {flow.sent}", flow.missing == 0)
    promise_one_pair(world, *ends.both)


def _mirrored(site: Site) -> frozenset[tuple[int, int]]:
    return frozenset((out, into) for into, out in spis(site))


def _ike_spis(site: Site) -> frozenset[tuple[bytes, bytes]]:
    def name(ike: IkeSaView) -> tuple[bytes, bytes]:
        return ike.initiator_spi, ike.responder_spi

    return frozenset(name(ike) for ike in site.ike_sas)
