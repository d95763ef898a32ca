from dataclasses import replace

import pytest

from isthmus.engine.commands import InitiateIke, Reauthenticate
from isthmus.events.child import DuplicateChild
from isthmus.events.ike import IkeDeleted, IkeEstablished, TwinIkeSa
from isthmus.sim.plans import EAST, WEST
from tests.engine.table import Seat, carry, connected, converse, two

ACTIVE = replace(WEST, passive=False)


def settle(one: Seat, other: Seat, seconds: int = 40) -> None:
    for _ in range(seconds * 4):
        for seat in (one, other):
            seat.wait(0.25)
        converse(one, other)


def crosswise(one: Seat, other: Seat) -> bool:
    ours = {(c.spi_in, c.spi_out) for ike in one.gateway.ike_sas() for c in ike.children}
    theirs = {(int(c.spi_out), int(c.spi_in)) for ike in other.gateway.ike_sas() for c in ike.children}
    return ours == theirs and len(ours) == 1


@pytest.mark.parametrize("latency", [0.0, 0.01])
def test_of_two_ike_sas_begun_at_once_the_same_one_stays_at_both_ends(latency: float) -> None:
    east, west = two(EAST, ACTIVE)
    while east.sent or west.sent:  # both speak at once, at every step
        there, back = east.take(), west.take()
        for seat in (east, west):
            seat.wait(latency)
        carry(there, west)
        carry(back, east)
    assert all("both ends began at once" in seat.told(TwinIkeSa)[0].decision for seat in (east, west))
    settle(east, west)
    assert [len(seat.told(IkeEstablished)) for seat in (east, west)] == [2, 2]
    (one,), (other,) = east.gateway.ike_sas(), west.gateway.ike_sas()
    assert (one.initiator_spi, one.responder_spi) == (other.initiator_spi, other.responder_spi)
    assert crosswise(east, west)


def test_the_newer_of_two_that_one_end_began_stays_and_the_older_is_deleted_with_a_word() -> None:
    east, west = connected()
    (before,) = east.gateway.ike_sas()
    east.command(Reauthenticate("west"))
    converse(east, west)
    assert [len(seat.gateway.ike_sas()) for seat in (east, west)] == [2, 2]
    settle(east, west)
    (after,) = east.gateway.ike_sas()
    assert after.initiator_spi != before.initiator_spi
    assert [event.reason for event in west.told(IkeDeleted)] == ["deleted by the peer"]
    assert crosswise(east, west)


def test_two_children_for_the_same_selectors_are_told_of_and_one_goes() -> None:
    east, west = connected()
    east.command(Reauthenticate("west"))
    converse(east, west)
    settle(east, west)
    children = [child for ike in east.gateway.ike_sas() for child in ike.children]
    assert len(children) == 1
    assert not east.told(DuplicateChild), "children of two IKE SAs are no twins"


def test_asking_for_an_ike_sa_that_stands_makes_no_twin() -> None:
    east, west = connected()
    east.command(InitiateIke("west"))
    converse(east, west)
    assert not east.told(TwinIkeSa)
    assert len(east.told(IkeEstablished)) == 1
