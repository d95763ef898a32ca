"""Links and partitions."""

from __future__ import annotations

import pytest

from isthmus.model.address import Address
from isthmus.sim.middle import Observe
from isthmus.sim.network import Frame, Link
from tests.sim.wire import EAST, WEST, Wire, numbered


def test_a_frame_takes_the_time_of_its_link() -> None:
    wire = Wire(Link(latency=(0.25, 0.25)))
    wire.send(b"one")
    wire.pass_time()
    assert wire.at_west == [(0.25, b"one")]


def test_loss_takes_its_share_and_the_rest_arrives_once() -> None:
    wire = Wire(Link(loss=0.3))
    wire.send(*numbered(1000))
    wire.pass_time()
    assert 600 < len(wire.arrived) < 800
    assert len(set(wire.arrived)) == len(wire.arrived)
    assert wire.network.tally.lost + wire.network.tally.delivered == 1000


def test_duplicates_are_the_same_frame_twice() -> None:
    wire = Wire(Link(duplicate=1.0))
    wire.send(*numbered(10))
    wire.pass_time()
    assert sorted(wire.arrived) == sorted(numbered(10) * 2)


def test_held_back_frames_are_overtaken() -> None:
    wire = Wire(Link(latency=(0.01, 0.01), reorder=0.5))
    wire.send(*numbered(100))
    wire.pass_time()
    assert wire.arrived != numbered(100)
    assert sorted(wire.arrived) == numbered(100)


def test_corruption_flips_one_bit() -> None:
    wire = Wire(Link(corrupt=1.0))
    wire.send(bytes(40))
    wire.pass_time()
    assert sum(octet.bit_count() for octet in wire.arrived[0]) == 1


def test_what_is_larger_than_the_mtu_vanishes() -> None:
    wire = Wire(Link(mtu=1280))
    wire.send(bytes(1252), bytes(1253))
    wire.pass_time()
    assert [len(octets) for octets in wire.arrived] == [1252]


def test_a_link_of_one_direction_leaves_the_other_alone() -> None:
    wire = Wire()
    wire.network.links[EAST.address, WEST.address] = Link(loss=1.0)
    wire.send(b"there")
    wire.answer(b"back")
    wire.pass_time()
    assert (wire.arrived, [octets for _, octets in wire.at_east]) == ([], [b"back"])


@pytest.mark.parametrize("source", [None, EAST.address, WEST.address])
def test_a_partition_stops_its_direction_for_its_time(source: Address | None) -> None:
    wire = Wire()
    wire.network.partition(10.0, source=source)
    wire.send(b"there")
    wire.answer(b"back")
    wire.pass_time(11.0)
    assert wire.arrived == ([b"there"] if source == WEST.address else [])
    assert [octets for _, octets in wire.at_east] == ([b"back"] if source == EAST.address else [])
    wire.send(b"after")
    wire.pass_time()
    assert wire.arrived[-1] == b"after"


def test_taps_see_what_sites_send_and_not_what_is_injected() -> None:
    wire = Wire()
    tapped: list[Frame] = []
    wire.network.taps.append(tapped.append)
    carried = Observe(wire.network, lambda frame: True)
    wire.send(b"sent")
    wire.network.inject(Frame(EAST, WEST, b"forged"))
    wire.pass_time()
    assert [frame.body for frame in tapped] == [b"sent"]
    assert [frame.body for frame in carried.frames] == [b"sent", b"forged"]


def test_the_same_seed_has_the_same_weather() -> None:
    def fates(seed: int) -> list[tuple[float, bytes]]:
        wire = Wire(Link(loss=0.3, duplicate=0.3, reorder=0.3, corrupt=0.3), seed)
        wire.send(*numbered(50))
        wire.pass_time()
        return wire.at_west

    assert fates(1) == fates(1)
    assert fates(1) != fates(2)
