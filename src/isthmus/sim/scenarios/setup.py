"""How tunnels come up."""

from __future__ import annotations

from dataclasses import replace

from isthmus.events.child import ChildNarrowed
from isthmus.events.ike import CookieDemanded
from isthmus.model.plan import Encapsulation, Fragmentation, Start
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, carries, connected, pair, promise_one_pair, up
from isthmus.sim.invariants import live_children
from isthmus.sim.middle import Observe, any_esp, any_ike, message
from isthmus.sim.network import Link
from isthmus.sim.plans import EAST, WEST, ProxyId, packet_for
from isthmus.sim.scenario import BOTH, scenario
from isthmus.sim.world import World
from isthmus.wire.registry import ExchangeType

SUITES = {
    "aes-256-gcm": ("aes-256-gcm/sha384/group20", "aes-256-gcm"),
    "aes-256-cbc": ("aes-256-cbc/sha384/sha384/group14", "aes-256-cbc/sha384"),
    "aes-128-ccm": ("aes-128-ccm/sha256/group19", "aes-128-ccm"),
    "chacha20-poly1305": ("chacha20-poly1305/sha512/group32", "chacha20-poly1305"),
    "3des": ("3des/sha1/sha1/group2", "3des/sha1"),
    "des-md5": ("des/md5/md5/group1", "des/md5"),
    "esn": ("aes-128-gcm/sha256/group31", "aes-256-cbc/sha512/esn"),
    "null": ("aes-128-cbc/sha1/sha1/group5", "null/sha256"),
}

TWELVE = tuple(ProxyId(f"net{n}", f"10.1.{n}.0/24", f"10.2.{n}.0/24") for n in range(12))


@scenario("set-up", versions=BOTH)
def set_up(world: World) -> None:
    """One end begins, the other waits; packets then pass both ways."""
    ends = connected(world)
    promise_one_pair(world, *ends.both)


@scenario("set-up-under-loss", versions=BOTH, link=Link(loss=0.3))
def set_up_under_loss(world: World) -> None:
    """A third of all datagrams vanishes; the tunnel comes up, once."""
    set_up(world)


@scenario("set-up-both-at-once", versions=BOTH)
def both_at_once(world: World) -> None:
    """Neither waits for the other: two IKE_SA_INIT requests cross, and one Child SA comes of it (RFC 7296, 2.8)."""
    ends = connected(world, EAST, replace(WEST, passive=False))
    world.run(limit=Seconds(30.0))
    promise_one_pair(world, *ends.both)
    world.run(until=carries(ends))


@scenario("set-up-with", each=SUITES)
def with_suite(world: World, name: str) -> None:
    """Each kind of algorithm, strong and weak, from the proposal to a packet."""
    ike, esp = SUITES[name]
    ends = connected(world, replace(EAST, ike=(ike,), esp=(esp,)), replace(WEST, ike=(ike,), esp=(esp,)))
    promise_one_pair(world, *ends.both)


@scenario("set-up-choosing", versions=BOTH)
def choosing(world: World) -> None:
    """Both accept several suites and share but one, the last of each list."""
    common = "aes-256-cbc/sha256/sha256/group19"
    east = replace(EAST, ike=("aes-256-gcm/sha384/group31", common), esp=("aes-256-gcm", "aes-256-cbc/sha256"))
    west = replace(WEST, ike=("3des/sha1/sha1/group31", common), esp=("chacha20-poly1305", "aes-256-cbc/sha256"))
    ends = connected(world, east, west)
    promise_one_pair(world, *ends.both)


@scenario("set-up-after-invalid-ke", each=("plain", "with-cookie"))
def after_invalid_ke(world: World, how: str) -> None:
    """The initiator guesses a group that the responder does not want, and is told which (RFC 7296, 1.2 and 2.6.1)."""
    east = replace(EAST, ike=("aes-128-gcm/sha256/group19/group31",))
    asked = Observe(world.network, message(ExchangeType.IKE_SA_INIT, response=False))
    ends = connected(world, east, replace(WEST, require_cookie=how == "with-cookie"))
    world.check("the first guess was refused", asked.acted >= 2)
    promise_one_pair(world, *ends.both)


@scenario("set-up-with-cookie")
def with_cookie(world: World) -> None:
    """The responder wants a cookie before it does anything (RFC 7296, 2.6)."""
    ends = connected(world, EAST, replace(WEST, require_cookie=True))
    world.check("a cookie was demanded", ends.west.told(CookieDemanded))
    promise_one_pair(world, *ends.both)


@scenario("set-up-narrowed", each=("east", "west"))
def narrowed(world: World, wider: str) -> None:
    """One end asks for more than the other gives: the Child SA covers what both want (RFC 7296, 2.9)."""
    east, west = EAST, WEST
    if wider == "east":
        east = replace(EAST, proxy_ids=(ProxyId("lan", "10.0.0.0/8", "10.2.0.0/15"),))
    else:
        west = replace(WEST, proxy_ids=(ProxyId("lan", "10.2.0.0/15", "10.0.0.0/8"),))
    ends = pair(world, east, west)
    ends.there = world.flow(ends.east, ends.west, packet_for(EAST.proxy_ids[0]))
    ends.back = world.flow(ends.west, ends.east, packet_for(WEST.proxy_ids[0]))
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    world.check("the wider end says that it got less", ends.one(wider).told(ChildNarrowed))
    ends.begin_traffic()
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


NARROW = tuple(ProxyId(f"net{n}", f"10.2.{n}.0/24", "10.1.0.0/16") for n in (5, 6))


@scenario("set-up-further-selectors", each=("on-demand", "immediate", "under-loss"))
def further_selectors(world: World, how: str) -> None:
    """West gives less than east asks for, to each packet the part that it needs: further parts follow one by one."""
    start = Start.IMMEDIATE if how == "immediate" else Start.ON_DEMAND
    world.network.link = Link(loss=0.25 if how == "under-loss" else 0.0)
    ends = pair(world, replace(EAST, start=start), replace(WEST, proxy_ids=NARROW, start=Start.ON_DEMAND))
    flows = [world.flow(ends.east, ends.west, packet_for(proxy.mirrored)) for proxy in reversed(NARROW)]
    world.run(limit=Seconds(1.0))
    for flow in flows:
        flow.start()
    world.run(until=lambda: all(flow.received >= 3 for flow in flows), limit=SET_UP_LIMIT)
    world.network.link = Link()
    world.settle()
    names = sorted(child.name for child in live_children(ends.west))
    world.check(f"west has one of each, and not {names}", names == ["east:net5", "east:net6"])
    world.check("east has the same two", len(live_children(ends.east)) == 2)
    world.check("on one IKE SA", len(ends.east.ike_sas) == 1)


@scenario("set-up-several-proxy-ids", versions=BOTH)
def several_proxy_ids(world: World) -> None:
    """Twelve pairs of networks share one IKE SA; each has a Child SA and traffic of its own."""
    east = replace(EAST, proxy_ids=TWELVE)
    west = replace(WEST, proxy_ids=tuple(proxy.mirrored for proxy in TWELVE))
    ends = pair(world, east, west)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    flows = [world.flow(ends.east, ends.west, packet_for(proxy)) for proxy in east.proxy_ids]
    flows += [world.flow(ends.west, ends.east, packet_for(proxy)) for proxy in west.proxy_ids]
    for flow in flows:
        flow.start()
    world.run(until=lambda: all(flow.received >= 3 for flow in flows))
    promise_one_pair(world, *ends.both)


@scenario("set-up-on-demand", versions=BOTH)
def on_demand(world: World) -> None:
    """Nothing is said until a host sends its first packet; then the tunnel comes up and the next ones pass."""
    ends = pair(world, replace(EAST, start=Start.ON_DEMAND), replace(WEST, start=Start.ON_DEMAND))
    spoken = Observe(world.network, any_ike)
    world.run(limit=Seconds(120.0))
    world.check("not a word before the first packet", spoken.acted == 0)
    ends.there.start()
    world.run(until=lambda: ends.there.received >= 3)
    ends.back.start()
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("set-up-peer", versions=BOTH, each=("named", "dynamic"))
def whereabouts(world: World, how: str) -> None:
    """The initiator knows its peer by name only; or the responder knows nothing but who it will be."""
    east, west = EAST, replace(WEST, knows="dynamic")
    if how == "named":
        east = replace(EAST, knows="gateway.west.example")
    ends = pair(world, east, west)
    ends.east.names["gateway.west.example"] = (ends.west.address,)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    ends.begin_traffic()
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("set-up-fragmented", versions=BOTH, each=("clean", "under-loss", "reordered"))
def fragmented(world: World, weather: str) -> None:
    """IKE_AUTH is larger than the middle lets through: it comes in pieces (RFC 7383)."""
    link = {"under-loss": Link(loss=0.2), "reordered": Link(reorder=0.5, duplicate=0.5)}.get(weather, Link())
    world.network.link = replace(link, mtu=700)
    name = ".".join(["a-long-label-of-a-long-name"] * 40) + ".example"
    pieces = Fragmentation(size=576)
    ends = connected(
        world, replace(EAST, identity=name, fragmentation=pieces), replace(WEST, looks_for=name, fragmentation=pieces)
    )
    world.check("nothing was too big for the middle", world.network.tally.too_big == 0)
    promise_one_pair(world, *ends.both)


@scenario("set-up-on-demand-both-at-once", versions=BOTH, link=Link(loss=0.2))
def on_demand_both(world: World) -> None:
    """Hosts behind both ends speak at the same instant, under loss."""
    start = Start.ON_DEMAND
    ends = pair(world, replace(EAST, start=start), replace(WEST, start=start, passive=False))
    ends.begin_traffic()
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
    promise_one_pair(world, *ends.both)


@scenario("set-up-encapsulated", versions=BOTH, each=("udp", "esp"))
def encapsulated(world: World, how: str) -> None:
    """ESP leaves as UDP, or as itself, as both ends want it."""
    wanted = Encapsulation(how)
    ends = connected(world, replace(EAST, encapsulation=wanted), replace(WEST, encapsulation=wanted))
    seen = Observe(world.network, any_esp)
    world.run(until=carries(ends))
    world.check(f"every packet is {how}", seen.frames and all(f.udp == (how == "udp") for f in seen.frames))
    promise_one_pair(world, *ends.both)
