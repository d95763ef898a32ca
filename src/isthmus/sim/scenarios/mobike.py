"""An end that is somewhere else all at once. RFC 4555."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from isthmus.dataplane.memory import EspPacket
from isthmus.engine.commands import Apply
from isthmus.events.ike import IkeDeleted, IkeEstablished, IkeMoved, NatDetected
from isthmus.model.address import NAT_T_PORT, Endpoint
from isthmus.model.plan import NatTraversal
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, Pair, carries, connected, pair_of, promise_one_pair, spis, up
from isthmus.sim.nat import Nat
from isthmus.sim.network import Frame, Link, Pass, Verdict
from isthmus.sim.plans import EAST, WEST, Party, plan_of
from isthmus.sim.reading import header_of
from isthmus.sim.scenario import scenario
from isthmus.sim.site import Site
from isthmus.sim.world import World
from isthmus.wire.registry import ExchangeType

ELSEWHERE = {"east": "192.0.2.200", "west": "198.51.100.200"}
"""Where each of them goes."""

INSIDE_EAST, OUTSIDE_EAST = "172.16.0.5", "203.0.113.9"
INSIDE_WEST, OUTSIDE_WEST = "172.31.0.5", "203.0.113.10"


@scenario("mobike", each=("east", "west"))
def one_moves(world: World, mover: str) -> None:
    """One end's address changes under a live tunnel: the same SAs go on from there, and hardly a packet is lost."""
    ends = connected(world, EAST, WEST)
    before = spis(ends.east)
    ends.forget_losses()
    _move(world, ends, mover)
    world.run(until=carries(ends, fresh=10), limit=Seconds(20.0))
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    world.check("nothing was set up anew", all(len(site.told(IkeEstablished)) == 1 for site in ends.both))
    for flow in (ends.there, ends.back):
        world.check(f"only what was under way is lost, and not {flow.missing}", flow.missing <= 3)
    promise_one_pair(world, *ends.both)


@scenario("mobike-under-loss", each=("east", "west"), link=Link(loss=0.25))
def one_moves_under_loss(world: World, mover: str) -> None:
    """The same while a quarter of all datagrams vanishes: ten tries take two and a half minutes."""
    ends = connected(world, EAST, WEST)
    before = spis(ends.east)
    _move(world, ends, mover)
    world.run(until=carries(ends, fresh=10), limit=Seconds(180.0))
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    promise_one_pair(world, *ends.both)


@scenario("mobike-there-and-back", each=("east", "west"), link=Link(loss=0.1))
def moves_and_returns(world: World, mover: str) -> None:
    """It moves again before the peer has answered, and then comes back to where it was."""
    ends = connected(world)
    home = str(ends.one(mover).address)
    for address in (ELSEWHERE[mover], home, ELSEWHERE[mover]):
        _move(world, ends, mover, address)
        world.run(limit=Seconds(0.015))
    world.run(until=carries(ends, fresh=10), limit=Seconds(60.0))
    promise_one_pair(world, *ends.both)


@scenario("mobike-refused")
def peer_without_mobike(world: World) -> None:
    """The peer knows no MOBIKE: the tunnel is set up anew from the new address."""
    east = replace(EAST, nat_traversal=NatTraversal(enabled=False))
    ends = connected(world, east, replace(WEST, knows="dynamic"))
    _move(world, ends, "east", party=east)
    world.run(until=lambda: len(ends.east.told(IkeEstablished)) == 2, limit=Seconds(60.0))
    world.run(until=carries(ends), limit=Seconds(60.0))
    promise_one_pair(world, *ends.both)


@scenario("mobike-diverted")
def diverted(world: World) -> None:
    """Somebody on the path passes the announcement on as if it came from elsewhere: no traffic follows it there."""
    ends = connected(world)
    trap = Endpoint(ip_address("203.0.113.66"), NAT_T_PORT)
    diverted: list[Frame] = []
    strays: list[Frame] = []

    def divert(frame: Frame) -> Verdict | None:
        header = header_of(frame)
        if diverted or header is None or header.exchange != ExchangeType.INFORMATIONAL or header.response:
            return None
        if frame.source.address != ip_address(ELSEWHERE["east"]):
            return None
        diverted.append(frame)
        return Pass(replace(frame, source=trap))

    def watch(frame: Frame) -> None:
        if frame.destination.address == trap.address and isinstance(frame.body, EspPacket):
            strays.append(frame)

    world.network.hooks.append(divert)
    world.network.taps.append(watch)
    _move(world, ends, "east")
    world.run(until=carries(ends, fresh=10), limit=Seconds(60.0))
    world.check("one announcement was diverted", len(diverted) == 1)
    world.check(f"no packet went astray, and not {len(strays)}", not strays)
    world.check("the IKE SA stands", not any(site.told(IkeDeleted) for site in ends.both))
    promise_one_pair(world, *ends.both)


@scenario("nat-both-ends")
def both_hidden(world: World) -> None:
    """Each end is behind a NAT of its own; the responder's forwards both ports."""
    ends, _ = _both_behind_nat(world)
    world.check("each sees both NATs", all(site.told(NatDetected)[0].where == "both" for site in ends.both))
    promise_one_pair(world, *ends.both)


@scenario("nat-both-ends-mapping-lost")
def both_hidden_and_mapping_lost(world: World) -> None:
    """The initiator's NAT forgets it: the responder may not follow, so the initiator tells it (RFC 4555, 3.8)."""
    ends, nat = _both_behind_nat(world)
    before = spis(ends.east)
    nat.flush()
    world.run(until=carries(ends), limit=Seconds(40.0))
    world.check("both know the new mapping", all(site.told(IkeMoved) for site in ends.both))
    world.check("the Child SA is the one from before", spis(ends.east) == before)
    promise_one_pair(world, *ends.both)


def _move(world: World, ends: Pair, mover: str, to: str | None = None, party: Party | None = None) -> None:
    """From now on its interface has the other address only, and its gateway is told."""
    site, address = ends.one(mover), ip_address(to or ELSEWHERE[mover])
    party = party or {"east": EAST, "west": WEST}[mover]
    there = WEST if mover == "east" else EAST
    _leave(world, site)
    site.address = address
    world.network.attach(address, site.receive)
    site.plan = plan_of(replace(party, address=str(address)), there)
    site.command(Apply(site.plan))


def _leave(world: World, site: Site) -> None:
    world.network.attach(site.address, lambda _: None)


def _both_behind_nat(world: World) -> tuple[Pair, Nat]:
    east_nat, west_nat = world.nat(ip_address(OUTSIDE_EAST)), world.nat(ip_address(OUTSIDE_WEST))
    inside = ip_address(INSIDE_WEST)
    for port in (500, NAT_T_PORT):
        west_nat.forward(Endpoint(inside, port))
    east_party = replace(EAST, address=INSIDE_EAST, knows=OUTSIDE_WEST)
    west_party = replace(WEST, address=INSIDE_WEST, knows="dynamic")
    east = world.site("east", plan_of(east_party, west_party), ip_address(INSIDE_EAST), behind=east_nat)
    west = world.site("west", plan_of(west_party, east_party), inside, behind=west_nat)
    ends = pair_of(world, east, west, east_party, west_party)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    ends.begin_traffic()
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
    return ends, east_nat
