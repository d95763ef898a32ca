"""The memory plane: tables, choices, replay, limits, and what it says of them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.dataplane.backend import (
    Acquire,
    DataPlane,
    DataPlaneRefusal,
    FirstInbound,
    HardExpired,
    PeerMoved,
    SoftExpired,
)
from isthmus.dataplane.memory import EspPacket, MemoryPlane, Packet, ReplayWindow
from isthmus.model.address import Endpoint
from isthmus.model.algorithms import ENCRYPTION_BY_NAME, INTEGRITY_BY_NAME
from isthmus.model.quantities import InboundSpi, Instant, OutboundSpi
from isthmus.model.sa_spec import (
    Direction,
    InstallPolicy,
    InstallSa,
    PolicySpec,
    RemovePolicy,
    RemoveSa,
    SaCounters,
    SaLimits,
    SaSpec,
    UpdateSa,
)
from isthmus.model.secret import Secret
from isthmus.model.selectors import TrafficSelector

EAST, WEST = ip_address("192.0.2.1"), ip_address("198.51.100.2")
EAST_LAN = TrafficSelector.of_network(ip_network("10.1.0.0/16"))
WEST_LAN = TrafficSelector.of_network(ip_network("10.2.0.0/16"))
THERE = Packet(ip_address("10.1.0.1"), ip_address("10.2.0.1"))
KEY = bytes(range(20))
SPI = 0x1000


class Clock:
    now = Instant(0.0)

    def __call__(self) -> Instant:
        return self.now


def plane(clock: Clock | None = None, **options: Any) -> MemoryPlane:
    return MemoryPlane(clock or Clock(), **options)


def outbound(spi: int = SPI, **changes: Any) -> SaSpec:
    spec = SaSpec(
        direction=Direction.OUTBOUND,
        spi=OutboundSpi(spi),
        child="west:lan",
        interface="tunnel.1",
        local=Endpoint(EAST, 4500),
        remote=Endpoint(WEST, 4500),
        udp=True,
        local_selectors=(EAST_LAN,),
        remote_selectors=(WEST_LAN,),
        encryption=ENCRYPTION_BY_NAME["aes-128-gcm"],
        encryption_key=Secret(KEY),
        integrity=None,
        integrity_key=Secret(b""),
    )
    return replace(spec, **changes)


def inbound(spi: int = SPI, **changes: Any) -> SaSpec:
    """The other end of `outbound`."""
    mirrored = replace(
        outbound(spi),
        direction=Direction.INBOUND,
        spi=InboundSpi(spi),
        child="east:lan",
        local=Endpoint(WEST, 4500),
        remote=Endpoint(EAST, 4500),
        local_selectors=(WEST_LAN,),
        remote_selectors=(EAST_LAN,),
    )
    return replace(mirrored, **changes)


POLICY = PolicySpec("west:lan", "tunnel.1", 1, (EAST_LAN,), (WEST_LAN,))


def joined(**options: Any) -> tuple[MemoryPlane, MemoryPlane]:
    """East, which sends, and west, which receives."""
    east, west = plane(**options), plane()
    east.apply(InstallPolicy(POLICY))
    east.apply(InstallSa(outbound()))
    west.apply(InstallSa(inbound()))
    return east, west


def sealed(east: MemoryPlane, packet: Packet = THERE) -> EspPacket:
    emission = east.send("tunnel.1", packet)
    assert emission is not None
    return emission.esp


FROM_EAST = Endpoint(EAST, 4500)


def test_it_is_a_data_plane() -> None:
    checked: DataPlane = plane()
    assert list(checked.notices()) == []


def test_a_packet_passes_from_one_end_to_the_other() -> None:
    east, west = joined()
    arrival = west.receive(sealed(east), FROM_EAST)
    assert arrival is not None
    assert (arrival.packet, arrival.child, arrival.interface) == (THERE, "east:lan", "tunnel.1")
    assert east.counters(outbound().id) == SaCounters(packets=1, octets=THERE.size, sequence=1)
    assert west.counters(inbound().id) == SaCounters(packets=1, octets=THERE.size, sequence=1)


@pytest.mark.parametrize(
    "difference",
    [
        {"encryption_key": Secret(bytes(20))},
        {"encryption": ENCRYPTION_BY_NAME["aes-128-ccm"]},
        {"integrity": INTEGRITY_BY_NAME["sha256"]},
        {"integrity_key": Secret(b"k" * 32)},
        {"esn": True},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_ends_that_disagree_fail_the_integrity_check(difference: dict[str, Any]) -> None:
    east, west = joined()
    west.apply(RemoveSa(inbound().id))
    west.apply(InstallSa(inbound(**difference)))
    assert west.receive(sealed(east), FROM_EAST) is None
    assert west.drops() == {"integrity-failed": 1}
    assert west.counters(inbound().id).integrity_failed == 1


def test_a_key_that_is_cut_elsewhere_is_another_key() -> None:
    east, west = plane(), plane()
    east.apply(InstallPolicy(POLICY))
    east.apply(InstallSa(outbound(integrity_key=Secret(b"x"))))
    west.apply(InstallSa(inbound(encryption_key=Secret(KEY + b"x"))))
    assert west.receive(sealed(east), FROM_EAST) is None


def test_a_packet_that_no_policy_knows_is_dropped_in_silence() -> None:
    east, _ = joined()
    stray = replace(THERE, destination=ip_address("10.9.0.1"))
    assert east.send("tunnel.1", stray) is None
    assert east.send("tunnel.2", THERE) is None
    assert east.drops() == {"no-policy": 2}
    assert list(east.notices()) == []


def test_a_protected_packet_without_an_sa_asks_for_one_at_most_once_a_second() -> None:
    clock = Clock()
    east = plane(clock)
    east.apply(InstallPolicy(POLICY))
    for instant in (0.0, 0.5, 0.99, 1.0, 1.5):
        clock.now = Instant(instant)
        assert east.send("tunnel.1", THERE) is None
    assert east.drops() == {"no-sa": 5}
    wanted = Acquire("west:lan", THERE.source, THERE.destination, 17, 40000, 9)
    assert list(east.notices()) == [wanted, wanted]
    assert list(east.notices()) == []


def test_the_first_policy_in_order_wins_whenever_it_was_installed() -> None:
    east = plane()
    east.apply(InstallPolicy(replace(POLICY, child="west:late", order=2)))
    east.apply(InstallPolicy(replace(POLICY, child="west:early", order=1)))
    east.send("tunnel.1", THERE)
    assert [notice.child for notice in east.notices() if isinstance(notice, Acquire)] == ["west:early"]


def test_a_removed_policy_protects_nothing() -> None:
    east, _ = joined()
    east.apply(RemovePolicy("west:lan"))
    assert east.send("tunnel.1", THERE) is None
    assert east.drops() == {"no-policy": 1}


def test_the_outbound_sa_installed_last_carries_what_it_admits() -> None:
    east, _ = joined()
    narrow = TrafficSelector.of_network(ip_network("10.2.7.0/24"))
    east.apply(InstallSa(outbound(SPI + 1, remote_selectors=(narrow,))))
    assert sealed(east).spi == SPI
    assert sealed(east, replace(THERE, destination=ip_address("10.2.7.1"))).spi == SPI + 1
    east.apply(InstallSa(outbound(SPI + 2)))
    assert sealed(east, replace(THERE, destination=ip_address("10.2.7.1"))).spi == SPI + 2


def test_an_sa_of_another_child_carries_nothing_of_this_one() -> None:
    east = plane()
    east.apply(InstallPolicy(POLICY))
    east.apply(InstallSa(outbound(child="west:other")))
    assert east.send("tunnel.1", THERE) is None


def test_installing_twice_changes_nothing_and_a_different_sa_in_its_place_is_refused() -> None:
    east, west = joined()
    first = sealed(east)
    east.apply(InstallSa(outbound()))
    assert sealed(east).sequence == first.sequence + 1
    with pytest.raises(DataPlaneRefusal):
        east.apply(InstallSa(outbound(encryption_key=Secret(bytes(20)))))
    with pytest.raises(DataPlaneRefusal):
        west.apply(InstallSa(inbound(remote=Endpoint(ip_address("203.0.113.1"), 4500))))
    assert west.receive(sealed(east), FROM_EAST) is not None


def test_a_reserved_spi_is_refused() -> None:
    with pytest.raises(DataPlaneRefusal):
        plane().apply(InstallSa(inbound(255)))


def test_a_refused_operation_changes_nothing() -> None:
    full = plane(refuse=lambda op: "table full" if isinstance(op, InstallSa) else None)
    with pytest.raises(DataPlaneRefusal) as refusal:
        full.apply(InstallSa(inbound()))
    assert refusal.value.why == "table full"
    assert full.installed == ()


def test_a_removed_sa_is_unknown_and_removing_it_again_is_no_error() -> None:
    east, west = joined()
    for _ in range(2):
        west.apply(RemoveSa(inbound().id))
    assert west.receive(sealed(east), FROM_EAST) is None
    assert west.drops() == {"unknown-spi": 1}
    assert west.counters(inbound().id) == SaCounters()


def test_a_replayed_packet_is_dropped_and_a_late_one_within_the_window_is_not() -> None:
    east, west = joined()
    packets = [sealed(east) for _ in range(10)]
    assert west.receive(packets[9], FROM_EAST) is not None
    assert west.receive(packets[3], FROM_EAST) is not None
    for again in (packets[9], packets[3]):
        assert west.receive(again, FROM_EAST) is None
    assert west.counters(inbound().id).replayed == 2
    assert west.counters(inbound().id).sequence == 10


def test_a_packet_behind_the_window_is_dropped() -> None:
    east, west = joined()
    west.apply(RemoveSa(inbound().id))
    west.apply(InstallSa(inbound(replay_window=64)))
    packets = [sealed(east) for _ in range(65)]
    west.receive(packets[64], FROM_EAST)
    assert west.receive(packets[0], FROM_EAST) is None
    assert west.receive(packets[1], FROM_EAST) is not None


def test_without_anti_replay_everything_authentic_passes() -> None:
    east, west = joined()
    west.apply(RemoveSa(inbound().id))
    west.apply(InstallSa(inbound(replay_window=0)))
    packet = sealed(east)
    assert all(west.receive(packet, FROM_EAST) for _ in range(3))


def test_a_forged_packet_moves_no_window_and_gives_no_sign_of_life() -> None:
    east, west = joined()
    packet = sealed(east)
    assert west.receive(replace(packet, sequence=5000), FROM_EAST) is None
    assert list(west.heard()) == []
    assert list(west.notices()) == []
    assert west.receive(packet, FROM_EAST) is not None


def test_an_inner_packet_outside_the_selectors_is_dropped() -> None:
    east, west = joined()
    west.apply(RemoveSa(inbound().id))
    narrow = TrafficSelector.of_network(ip_network("10.1.7.0/24"))
    west.apply(InstallSa(inbound(remote_selectors=(narrow,))))
    assert west.receive(sealed(east), FROM_EAST) is None
    assert west.drops() == {"selector-mismatch": 1}
    assert west.counters(inbound().id).dropped == 1


def test_the_first_authentic_packet_is_told_once_and_each_one_is_heard() -> None:
    east, west = joined()
    west.receive(sealed(east), FROM_EAST)
    assert list(west.notices()) == [FirstInbound(inbound().id)]
    assert list(west.heard()) == [SPI]
    assert list(west.heard()) == []
    west.receive(sealed(east), FROM_EAST)
    assert list(west.notices()) == []
    assert list(west.heard()) == [SPI]


def test_the_newest_packet_from_elsewhere_tells_that_the_peer_moved_and_an_older_one_does_not() -> None:
    east, west = joined()
    packets = [sealed(east) for _ in range(3)]
    elsewhere = Endpoint(EAST, 31234)
    west.receive(packets[1], FROM_EAST)
    west.receive(packets[0], elsewhere)
    assert not [n for n in west.notices() if isinstance(n, PeerMoved)]
    west.receive(packets[2], elsewhere)
    assert list(west.notices()) == [PeerMoved(inbound().id, elsewhere)]


def test_an_sa_moves_with_its_counters_and_its_place() -> None:
    east, west = joined()
    sealed(east)
    moved = Endpoint(ip_address("203.0.113.1"), 4501)
    east.apply(UpdateSa(outbound().id, FROM_EAST, moved, udp=True))
    emission = east.send("tunnel.1", THERE)
    assert emission is not None
    assert (emission.remote, emission.esp.sequence) == (moved, 2)
    assert east.counters(outbound(remote=moved).id).packets == 2
    west.apply(UpdateSa(inbound().id, Endpoint(WEST, 4500), moved, udp=True))
    assert west.receive(emission.esp, moved) is not None


@pytest.mark.parametrize(
    ("limits", "packets"),
    [
        (SaLimits(soft_packets=3, hard_packets=5), (3, 5)),
        (SaLimits(soft_octets=3 * THERE.size, hard_octets=4 * THERE.size + 1), (3, 5)),
    ],
    ids=["packets", "octets"],
)
def test_limits_are_told_once_and_the_hard_one_ends_the_sa(limits: SaLimits, packets: tuple[int, int]) -> None:
    east = plane()
    east.apply(InstallPolicy(POLICY))
    east.apply(InstallSa(outbound(limits=limits)))
    told: dict[int, list[object]] = {}
    for number in range(1, 7):
        emission = east.send("tunnel.1", THERE)
        assert (emission is not None) == (number <= packets[1])
        told[number] = list(east.notices())
    soft, hard = packets
    assert {n: notices for n, notices in told.items() if notices} == {
        soft: [SoftExpired(outbound().id)],
        hard: [HardExpired(outbound().id)],
    }
    assert east.drops() == {"expired": 1}


def test_a_sequence_number_is_never_used_twice() -> None:
    east, _ = joined(sequence_space=4)
    assert [sealed(east).sequence for _ in range(3)] == [1, 2, 3]
    assert east.send("tunnel.1", THERE) is None
    assert east.drops() == {"sequence-exhausted": 1}


def test_closing_leaves_nothing() -> None:
    east, _ = joined()
    east.close()
    assert (east.installed, east.policies, list(east.notices())) == ((), (), [])


@given(st.sampled_from([64, 128, 1024]), st.lists(st.integers(1, 3000), max_size=300))
def test_the_window_admits_exactly_what_is_new_and_near(size: int, sequences: list[int]) -> None:
    window, seen = ReplayWindow(size), set[int]()
    for sequence in sequences:
        new = sequence not in seen and sequence > max(seen, default=0) - size
        assert window.admits(sequence) == new
        if new:
            window.record(sequence)
            seen.add(sequence)


@given(st.integers(0, 3), st.integers(1, 2**32 - 1), st.integers(-1000, 1000))
def test_the_high_half_of_a_sequence_number_is_found_near_the_window(high: int, low: int, step: int) -> None:
    window = ReplayWindow(1024)
    window.top = (high << 32) + low
    expected = max(window.top + step, 1)
    assert window.full_sequence(expected % 2**32) == expected


def test_the_next_packet_of_a_flow_differs_in_its_payload_only() -> None:
    first = replace(THERE, payload=b"one")
    assert first.carrying(b"two") == replace(first, payload=b"two")
    assert first.carrying(b"two").header == first.header
    assert replace(first, destination_port=10).header != first.header


def test_what_was_found_for_a_flow_is_forgotten_when_the_tables_change() -> None:
    east, west = joined()
    assert west.receive(sealed(east), FROM_EAST) is not None
    west.apply(RemoveSa(inbound().id))
    assert west.receive(sealed(east), FROM_EAST) is None
    east.apply(RemoveSa(outbound().id))
    assert east.send("tunnel.1", THERE) is None
    assert east.installed == ()
    east.close()
    assert east.send("tunnel.1", THERE) is None
    assert east.drops() == {"no-sa": 1, "no-policy": 1}
