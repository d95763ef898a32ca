from dataclasses import replace

from isthmus.engine.commands import InitiateChild
from isthmus.events.ike import FailureReason, FellBack, NegotiationFailed
from isthmus.model.plan import Start, Version
from isthmus.sim.plans import EAST, WEST, ProxyId
from tests.engine.table import Seat, carry, converse, two

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


PREFERS = replace(EAST, version=Version.IKEV2_PREFERRED, ike=("aes-256-cbc/sha256/sha256/group14",))
OLD = replace(WEST, version=Version.IKEV1, ike=PREFERS.ike)


def test_the_fall_to_ikev1_takes_along_what_the_call_was_for() -> None:
    lab = replace(PREFERS, start=Start.ON_DEMAND, proxy_ids=BOTH.proxy_ids)
    east, west = two(lab, replace(OLD, proxy_ids=THERE.proxy_ids, start=Start.ON_DEMAND))
    first, second = (tunnel.child for tunnel in east.gateway.tunnels())
    east.command(InitiateChild(second))
    east.command(InitiateChild(first))
    for _ in range(4):
        assert not east.told(FellBack)
        converse(east, west)
        east.wait(4.0)
    for _ in range(3):
        converse(east, west)
        east.wait(2.0)
    assert len(east.told(FellBack)) == 1
    assert up(east) == sorted([first, second])


def test_what_is_heard_of_ikev2_keeps_a_call_from_falling_back() -> None:
    """A cookie, which only IKEv2 has, and silence after that."""
    east, west = two(PREFERS, replace(OLD, version=Version.IKEV2, require_cookie=True))
    carry(east.take(), west)
    carry(west.take(), east)
    east.wait(18.0)
    assert not east.told(FellBack)
    assert [event.reason for event in east.told(NegotiationFailed)][:1] == [FailureReason.NO_ANSWER]


def test_a_proved_peer_that_refuses_us_is_not_called_by_ikev1() -> None:
    east, west = two(PREFERS, replace(OLD, version=Version.IKEV2, psk=b"another key"))
    for _ in range(20):
        converse(east, west)
        east.wait(2.0)
    assert {event.reason for event in east.told(NegotiationFailed)} == {FailureReason.AUTHENTICATION_FAILED}
    assert not east.told(FellBack)


def test_both_versions_that_came_to_nothing_are_told() -> None:
    east, west = two(PREFERS, replace(OLD, psk=b"another key"))
    for _ in range(120):
        converse(east, west)
        east.wait(2.0)
    (child,) = east.gateway.tunnels()
    assert child.reason is not None
    assert "pre-shared key or identity may differ" in child.reason
    assert "before that, by IKEv2: no-answer" in child.reason
