"""Child SAs of which the two ends do not know the same. RFC 7296, 1.4.1, 2.8 and 2.25.1."""

import pytest

from isthmus.engine.child_sa import ChildSa
from isthmus.engine.commands import HardExpired, RekeyChild, SoftExpired
from isthmus.events.child import ChildDeleted, ChildExpired, ChildInstalled
from isthmus.events.ike import IkeDeleted
from isthmus.model.proposal import Protocol
from isthmus.wire.ikev2.payloads import Delete
from tests.engine.ikev2.test_extras import say
from tests.engine.table import Seat, carry, connected, converse


def children(seat: Seat) -> list[ChildSa]:
    return list(seat.gateway._ledger.children.values())


def settle(one: Seat, other: Seat, seconds: int = 40) -> None:
    for _ in range(seconds):
        for seat in (one, other):
            seat.wait(1.0)
        converse(one, other)


def one_pair(one: Seat, other: Seat) -> bool:
    (ours,), (theirs,) = children(one), children(other)
    return (ours.terms.spi_in, ours.terms.spi_out) == (int(theirs.terms.spi_out), int(theirs.terms.spi_in))


def delete(seat: Seat, child: ChildSa) -> None:
    say(seat, Delete(Protocol.ESP, (child.terms.spi_in.to_bytes(4),)))


@pytest.mark.parametrize("who", [0, 1])
def test_a_child_that_the_peer_has_lost_is_replaced_by_a_new_one(who: int) -> None:
    ends = connected()
    here, there = ends[who], ends[1 - who]
    (lost,) = children(there)
    lost.remove_now("lost")
    there._drain()
    here.command(RekeyChild(children(here)[0].name))
    converse(*ends)
    assert "the peer does not know it" in [event.reason for event in here.told(ChildDeleted)]
    settle(*ends)
    assert one_pair(*ends)
    assert not here.told(IkeDeleted)


@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("crossing", [False, True])
def test_a_peer_that_deletes_what_it_is_not_to_delete_does_no_harm(who: int, *, crossing: bool) -> None:
    """The end that did not ask for the successor deletes the old one at once, before the other can."""
    ends = connected()
    here, there = ends[who], ends[1 - who]
    (old,) = children(there)
    here.command(RekeyChild(old.name))
    if crossing:
        there.command(RekeyChild(old.name))
        back = there.take()
        carry(here.take(), there)
        carry(back, here)
    else:
        carry(here.take(), there)
    delete(there, old)
    converse(*ends)
    settle(*ends)
    assert one_pair(*ends)
    assert not here.told(IkeDeleted)


@pytest.mark.parametrize("who", [0, 1])
def test_the_soft_limit_of_a_child_that_has_a_successor_asks_for_nothing(who: int) -> None:
    ends = connected()
    here, there = ends[who], ends[1 - who]
    (old,) = children(there)
    soft = SoftExpired(old.installation.inbound_id)
    here.command(RekeyChild(old.name))
    carry(here.take(), there)
    there.command(soft)
    converse(*ends)
    there.command(soft)
    settle(*ends)
    assert len(there.told(ChildInstalled)) == 2
    assert one_pair(*ends)


@pytest.mark.parametrize("who", [0, 1])
def test_the_hard_limit_of_a_child_that_has_a_successor_ends_only_that_child(who: int) -> None:
    ends = connected()
    here, there = ends[who], ends[1 - who]
    (old,) = children(there)
    here.command(RekeyChild(old.name))
    carry(here.take(), there)
    there.command(HardExpired(old.installation.inbound_id))
    assert there.told(ChildExpired)
    converse(*ends)
    settle(*ends)
    assert len(there.told(ChildInstalled)) == 2
    assert one_pair(*ends)


def test_a_child_that_nobody_deletes_after_its_renewal_ends_with_its_lifetime() -> None:
    east, west = connected()
    (old,) = children(west)
    east.command(RekeyChild(old.name))
    carry(east.take(), west)
    carry(west.take(), east)
    east.take()  # its Delete is never heard of, nor anything else
    east.gateway._ledger.ike_sas.clear()
    west.wait(3700.0)
    assert old.terms.spi_in in {event.spi_in for event in west.told(ChildDeleted)}
