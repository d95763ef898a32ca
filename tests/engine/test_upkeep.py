from dataclasses import replace

from isthmus.engine.commands import InitiateChild
from isthmus.model.plan import Start
from isthmus.sim.plans import EAST, WEST, ProxyId
from tests.engine.table import Seat, converse, two

LAB = ProxyId("lab", "10.3.0.0/24", "10.4.0.0/24")
BOTH = replace(EAST, proxy_ids=(*EAST.proxy_ids, LAB), start=Start.ON_DEMAND)
THERE = replace(WEST, proxy_ids=(*WEST.proxy_ids, LAB.mirrored), passive=True, start=Start.ON_DEMAND)


def up(seat: Seat) -> list[str]:
    return sorted(tunnel.child for tunnel in seat.gateway.tunnels() if tunnel.state == "up")


def test_whoever_is_wanted_while_the_ike_sa_is_set_up_follows_it() -> None:
    east, west = two(BOTH, THERE)
    children = [tunnel.child for tunnel in east.gateway.tunnels()]
    assert len(children) == 2
    for child in children:
        east.command(InitiateChild(child))
    converse(east, west)
    assert up(east) == sorted(children)
    assert len(up(west)) == 2


def test_what_was_wanted_is_asked_for_once() -> None:
    east, west = two(BOTH, THERE)
    first, second = (tunnel.child for tunnel in east.gateway.tunnels())
    for child in (first, second, second, first):
        east.command(InitiateChild(child))
    converse(east, west)
    (ike,) = east.gateway.ike_sas()
    assert sorted(child.name for child in ike.children) == sorted([first, second])


def test_a_set_up_that_fails_takes_the_wishes_with_it() -> None:
    east, west = two(replace(BOTH, psk=b"another key"), THERE)
    first, second = (tunnel.child for tunnel in east.gateway.tunnels())
    east.command(InitiateChild(first))
    east.command(InitiateChild(second))
    converse(east, west)
    east.wait(120)
    assert east.sent == []
    assert up(east) == []
