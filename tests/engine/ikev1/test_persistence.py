"""What version 1 leaves to luck, and how little of it we need: deletes, and large messages of phase 1."""

from __future__ import annotations

from dataclasses import replace

from isthmus.engine import commands
from isthmus.engine.outputs import SendDatagram
from isthmus.events.child import ChildDeleted
from isthmus.events.ike import IkeDeleted
from isthmus.model.plan import Dpd, Fragmentation
from isthmus.sim.scenarios.ikev1 import EAST_V1, WEST_V1
from isthmus.wire.ikev1.header import decode_header
from isthmus.wire.registry import ExchangeTypeV1
from tests.engine.table import Seat, carry, connected, converse, two


def informational(datagrams: list[SendDatagram]) -> list[bytes]:
    return [d.octets for d in datagrams if decode_header(d.octets).exchange == ExchangeTypeV1.INFORMATIONAL]


def children(seat: Seat) -> int:
    return sum(len(ike.children) for ike in seat.gateway.ike_sas())


def test_a_delete_is_said_four_times_to_the_last_bit_though_the_ike_sa_is_gone() -> None:
    east, _ = connected(EAST_V1, WEST_V1)
    east.command(commands.Shutdown())
    first = informational(east.take())
    assert len(first) == 2  # the child's and its own
    assert east.told(IkeDeleted)
    east.wait(10.0)
    assert sorted(informational(east.take())) == sorted(first * 3)


def test_the_last_copy_of_a_delete_is_enough_and_a_copy_counts_once() -> None:
    east, west = connected(EAST_V1, WEST_V1)
    east.command(commands.TerminateChild("west:lan"))
    east.take()
    east.wait(7.0)
    copies = [d for d in east.take() if d.octets in informational([d])]
    carry(copies[-1:], west)
    assert len(west.told(ChildDeleted)) == 1
    carry(copies, west)
    assert len(west.told(ChildDeleted)) == 1


def test_a_replaced_child_goes_though_no_delete_ever_comes() -> None:
    east, west = connected(*(replace(party, dpd=Dpd(enabled=False)) for party in (EAST_V1, WEST_V1)))
    east.command(commands.RekeyChild("west:lan"))
    converse(east, west)
    assert children(west) == 2
    west.wait(80.0)
    assert children(west) == 2
    west.wait(20.0)
    assert children(west) == 1
    assert informational(west.take())  # and it says so


def test_the_proofs_of_main_mode_come_in_pieces() -> None:
    long = ".".join(["a-long-label-of-a-long-name"] * 40) + ".example"
    pieces = Fragmentation(size=576)
    east, west = two(
        replace(EAST_V1, identity=long, fragmentation=pieces), replace(WEST_V1, looks_for=long, fragmentation=pieces)
    )
    said = list(east.sent)
    while east.sent or west.sent:
        said += east.sent
        carry(east.take(), west)
        said += west.sent
        carry(west.take(), east)
    assert children(east) == children(west) == 1
    assert max(len(d.octets) for d in said) <= 576 - 28
