"""NAT between the sites. RFC 7296, 2.23; RFC 3948."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from isthmus.events.ike import NatDetected
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, Pair, carries, pair_of, promise_one_pair, up
from isthmus.sim.middle import Observe, any_esp
from isthmus.sim.nat import Nat
from isthmus.sim.network import Link
from isthmus.sim.plans import EAST, WEST, Party, ProxyId, merged, packet_for, plan_of, site_of, speaking
from isthmus.sim.scenario import BOTH, scenario
from isthmus.sim.world import World

PUBLIC = "203.0.113.9"
INSIDE = replace(EAST, address="172.16.0.5")
"""East, on a private network; the world sees the NAT's address."""

CALLED = replace(WEST, knows="dynamic")


@scenario("nat", versions=BOTH)
def behind_nat(world: World) -> None:
    """East is behind a NAT: both notice, float to port 4500, and ESP goes in UDP."""
    ends, _ = connected_behind_nat(world)
    seen = Observe(world.network, any_esp)
    world.run(until=carries(ends))
    world.check("every packet is in UDP", seen.frames and all(frame.udp for frame in seen.frames))
    for site in ends.both:
        world.check(f"{site.name} noticed the NAT", site.told(NatDetected))
    promise_one_pair(world, *ends.both)


@scenario("nat-under-loss", versions=BOTH, link=Link(loss=0.25))
def behind_nat_under_loss(world: World) -> None:
    """The same while a quarter of all datagrams vanishes."""
    behind_nat(world)


@scenario("nat-idle", versions=BOTH)
def idle_behind_nat(world: World) -> None:
    """No traffic for ten minutes; keep-alives hold the mapping, so that the outer end can speak first."""
    ends, nat = connected_behind_nat(world)
    ends.stop_traffic()
    mapped = nat.mappings
    world.run(limit=Seconds(600.0))
    held = nat.mappings
    world.check("a mapping is still the one from before", any(mapped[end] == held.get(end) for end in mapped))
    heard = ends.back.received
    ends.back.start()
    world.run(until=lambda: ends.back.received >= heard + 3, limit=Seconds(5.0))
    promise_one_pair(world, *ends.both)


@scenario("nat-inside-restarts", versions=BOTH)
def inside_restarts(world: World) -> None:
    """The end behind the NAT is killed and comes back, perhaps from another port."""
    ends, nat = connected_behind_nat(world)
    ends.east.kill()
    nat.flush()
    world.run(limit=Seconds(3.0))
    ends.east.boot()
    world.run(until=carries(ends), limit=Seconds(600.0))
    promise_one_pair(world, *ends.both)


@scenario("nat-mapping-lost", versions=BOTH)
def mapping_lost(world: World) -> None:
    """The NAT forgets its mappings while traffic flows: west follows the authenticated packets to the new port."""
    ends, nat = connected_behind_nat(world)
    nat.flush()
    world.run(until=carries(ends), limit=Seconds(40.0))
    promise_one_pair(world, *ends.both)


@scenario("nat-two-inside", versions=BOTH)
def two_inside(world: World) -> None:
    """Two peers share one public address; the third keeps them apart by ports and SPIs."""
    nat = world.nat(ip_address(PUBLIC))
    south_lan = ProxyId("lan", "10.3.0.0/16", "10.2.0.0/16")
    south = Party("south", "172.16.0.6", (south_lan,))
    called = speaking(CALLED, world.version)
    hub = merged(plan_of(called, INSIDE), plan_of(replace(called, proxy_ids=(south_lan.mirrored,)), south))
    one, other = site_of(world, INSIDE, CALLED, nat), site_of(world, south, CALLED, nat)
    west = world.site("west", hub, ip_address(CALLED.address))
    world.run(until=up(one, other, west), limit=SET_UP_LIMIT)
    flows = [world.flow(one, west, packet_for(INSIDE.proxy_ids[0])), world.flow(other, west, packet_for(south_lan))]
    flows += [
        world.flow(west, one, packet_for(CALLED.proxy_ids[0])),
        world.flow(west, other, packet_for(south_lan.mirrored)),
    ]
    for flow in flows:
        flow.start()
    world.run(until=lambda: all(flow.received >= 3 for flow in flows))
    world.settle()


def connected_behind_nat(world: World, called: Party = CALLED) -> tuple[Pair, Nat]:
    """East behind a NAT, with a tunnel to whom it calls."""
    nat = world.nat(ip_address(PUBLIC))
    east, west = site_of(world, INSIDE, called, nat), site_of(world, called, INSIDE)
    ends = pair_of(world, east, west, INSIDE, called)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    ends.begin_traffic()
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
    return ends, nat
