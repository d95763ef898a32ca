"""What every data plane does: each backend runs these with a bench of its own."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Protocol

import pytest

from isthmus.dataplane.backend import (
    Acquire,
    DataPlane,
    DataPlaneRefusal,
    FirstInbound,
    HardExpired,
    PeerMoved,
    SoftExpired,
)
from isthmus.dataplane.memory import Packet
from isthmus.model.address import Endpoint
from isthmus.model.algorithms import INTEGRITY_BY_NAME
from isthmus.model.plan import Mode
from isthmus.model.proposal import Protocol as Proto
from isthmus.model.sa_spec import RemovePolicy, RemoveSa, SaCounters, SaLimits, UpdateSa
from isthmus.model.secret import Secret
from tests.dataplane.stand import ANY, CHILD, Flow, install, keys, policy, selectors

PACKET = Packet(ip_address("10.1.0.5"), ip_address("10.2.0.9"), 17, 4000, 53, b"a question")
SIX = Packet(ip_address("fd00::5"), ip_address("fd00::9"), 17, 4000, 53, b"a question")


class Bench(Protocol):
    """Two planes on one wire. Each has the interface that `stand` names, and receives at two addresses."""

    east: DataPlane
    west: DataPlane
    east_at: Endpoint
    east_other: Endpoint
    west_at: Endpoint
    west_other: Endpoint

    def carry(self, packet: Packet) -> bool:
        """Routes a packet into the tunnel in the east. Whether it came out in the west, unchanged."""
        ...


class _Stand:
    """A subclass gives the fixture `bench`."""

    @pytest.fixture
    def flow(self, bench: Bench) -> Flow:
        return Flow(bench.east_at, bench.west_at)

    @pytest.fixture
    def up(self, bench: Bench, flow: Flow) -> Bench:
        """A bench with a policy and one flow from east to west."""
        bench.west.apply(install(flow.inbound))
        bench.east.apply(policy())
        bench.east.apply(install(flow.outbound))
        return bench


class Choosing(_Stand):
    """Which SA carries a packet, and what happens where there is none."""

    def test_a_packet_without_a_policy_is_dropped(self, bench: Bench) -> None:
        assert not bench.carry(PACKET)
        assert bench.east.drops()["no-policy"] == 1
        assert tuple(bench.east.notices()) == ()

    def test_a_packet_without_an_sa_is_dropped_and_asked_for(self, bench: Bench) -> None:
        bench.east.apply(policy())
        assert not bench.carry(PACKET)
        assert bench.east.drops()["no-sa"] == 1
        assert tuple(bench.east.notices()) == (Acquire(CHILD, PACKET.source, PACKET.destination, 17, 4000, 53),)
        assert tuple(bench.east.notices()) == ()

    def test_the_first_policy_that_matches_decides(self, up: Bench) -> None:
        up.east.apply(policy("before", order=0, remote=selectors("10.2.0.9/32")))
        assert not up.carry(PACKET)
        assert up.carry(replace(PACKET, destination=ip_address("10.2.0.8")))
        up.east.apply(RemovePolicy("before"))
        assert up.carry(PACKET)

    def test_a_policy_is_replaced_by_its_successor(self, up: Bench) -> None:
        up.east.apply(policy(remote=selectors("10.9.0.0/16")))
        assert not up.carry(PACKET)
        assert up.east.drops()["no-policy"] == 1

    def test_the_sa_installed_last_carries_the_traffic(self, up: Bench, flow: Flow) -> None:
        newer = replace(flow, spi=0x2000, keyed_by="rekeyed")
        up.west.apply(install(newer.inbound))
        assert up.carry(PACKET)
        up.east.apply(install(newer.outbound))
        assert up.carry(PACKET)
        assert up.east.counters(flow.outbound.id).packets == 1
        assert up.east.counters(newer.outbound.id).packets == 1
        up.east.apply(RemoveSa(newer.outbound.id))
        assert up.carry(PACKET)
        assert up.east.counters(flow.outbound.id).packets == 2

    def test_an_sa_carries_only_what_its_selectors_admit(self, up: Bench, flow: Flow) -> None:
        narrow = replace(flow, spi=0x2000)
        up.east.apply(install(narrow.outbound, remote_selectors=selectors("10.9.0.0/16")))
        assert up.carry(PACKET)
        assert up.east.counters(narrow.outbound.id).packets == 0

    def test_equal_spis_of_two_peers_are_two_outbound_sas(self, up: Bench, flow: Flow) -> None:
        other = replace(flow, receiver=up.west_other, child="branch:other")
        up.east.apply(install(other.outbound))
        assert up.carry(PACKET)
        assert up.east.counters(flow.outbound.id).packets == 1
        assert up.east.counters(other.outbound.id).packets == 0
        up.east.apply(RemoveSa(other.outbound.id))
        assert up.carry(PACKET)

    def test_a_range_in_a_selector_is_exact(self, up: Bench) -> None:
        up.east.apply(policy(remote=selectors("10.2.0.8/31")))
        assert up.carry(PACKET)
        assert not up.carry(replace(PACKET, destination=ip_address("10.2.0.10")))
        up.east.apply(policy(remote=ANY))
        assert up.carry(replace(PACKET, destination=ip_address("10.2.0.10")))


class Installing(_Stand):
    """Operations are idempotent, and refused whole."""

    def test_installing_the_same_again_changes_nothing(self, up: Bench, flow: Flow) -> None:
        assert up.carry(PACKET)
        up.east.apply(install(flow.outbound))
        up.west.apply(install(flow.inbound))
        assert up.carry(PACKET)
        assert up.east.counters(flow.outbound.id).sequence == 2

    def test_an_spi_in_use_is_refused_and_its_sa_lives_on(self, up: Bench, flow: Flow) -> None:
        for plane, spec in ((up.west, flow.inbound), (up.east, flow.outbound)):
            with pytest.raises(DataPlaneRefusal, match=r"SPI|in use"):
                plane.apply(install(spec, encryption_key=keys("others", 20)))
        assert up.carry(PACKET)

    def test_a_reserved_spi_is_refused(self, bench: Bench, flow: Flow) -> None:
        with pytest.raises(DataPlaneRefusal, match="reserved"):
            bench.west.apply(install(replace(flow, spi=255).inbound))

    def test_a_removed_sa_carries_nothing(self, up: Bench, flow: Flow) -> None:
        for _ in range(2):
            up.west.apply(RemoveSa(flow.inbound.id))
        assert not up.carry(PACKET)
        assert up.west.drops()["unknown-spi"] == 1
        up.east.apply(RemoveSa(flow.outbound.id))
        assert not up.carry(PACKET)
        assert up.east.drops()["no-sa"] == 1
        assert up.east.counters(flow.outbound.id) == SaCounters()

    def test_an_sa_that_moves_keeps_its_keys_and_counters(self, up: Bench, flow: Flow) -> None:
        assert up.carry(PACKET)
        up.east.apply(UpdateSa(flow.outbound.id, up.east_other, up.west_other, udp=True))
        moved = replace(flow, sender=up.east_other, receiver=up.west_other)
        tuple(up.west.notices())
        assert up.carry(PACKET)
        assert up.east.counters(moved.outbound.id).sequence == 2
        # It is the engine's to decide; until then both go on as before.
        assert tuple(up.west.notices()) == (PeerMoved(flow.inbound.id, up.east_other),)
        up.west.apply(UpdateSa(flow.inbound.id, up.west_other, up.east_other, udp=True))
        assert up.carry(PACKET)
        assert tuple(up.west.notices()) == ()
        assert up.west.counters(moved.inbound.id).packets == 3

    def test_an_update_of_nothing_is_no_error(self, bench: Bench, flow: Flow) -> None:
        bench.east.apply(UpdateSa(flow.outbound.id, bench.east_at, bench.west_at, udp=True))
        bench.east.apply(RemovePolicy("nobody"))
        assert bench.east.counters(flow.outbound.id) == SaCounters()


class Carrying(_Stand):
    """What crosses, what does not, and what is told of it."""

    @pytest.mark.parametrize("packet", [PACKET, SIX], ids=["ipv4", "ipv6"])
    def test_an_installed_pair_carries_packets_and_counts_them(self, up: Bench, flow: Flow, packet: Packet) -> None:
        assert up.carry(packet)
        assert up.carry(packet)
        seen = SaCounters(packets=2, octets=2 * packet.size, sequence=2)
        assert up.east.counters(flow.outbound.id) == seen
        assert up.west.counters(flow.inbound.id) == seen

    @pytest.mark.parametrize("protocol", [Proto.ESP, Proto.AH])
    @pytest.mark.parametrize("mode", Mode)
    def test_each_protocol_and_mode_carries(self, bench: Bench, flow: Flow, protocol: Proto, mode: Mode) -> None:
        row = INTEGRITY_BY_NAME["sha256"]
        cipher = {"encryption": None, "encryption_key": Secret(b"")} if protocol == Proto.AH else {}
        signed = {"integrity": row, "integrity_key": keys("signed", row.key)} if protocol == Proto.AH else {}
        changes = {"protocol": protocol, "mode": mode, "udp": False, **cipher, **signed}
        # What the two gateways say themselves is what transport mode is for.
        ends = {"source": bench.east_at.address, "destination": bench.west_at.address}
        packet = replace(PACKET, **ends) if mode is Mode.TRANSPORT else PACKET
        bench.west.apply(install(flow.inbound, **changes))
        bench.east.apply(policy())
        bench.east.apply(install(flow.outbound, **changes))
        assert bench.carry(packet)
        assert bench.carry(packet)
        sa = replace(flow.outbound.id, protocol=protocol)
        assert bench.east.counters(sa) == SaCounters(packets=2, octets=2 * packet.size, sequence=2)
        inbound = replace(flow.inbound.id, protocol=protocol)
        assert tuple(bench.west.notices()) == (FirstInbound(inbound),)
        bench.east.apply(RemoveSa(sa))
        assert not bench.carry(packet)

    def test_what_comes_out_of_an_sa_must_be_what_it_is_for(self, up: Bench, flow: Flow) -> None:
        up.west.apply(RemoveSa(flow.inbound.id))
        up.west.apply(install(flow.inbound, remote_selectors=selectors("10.1.0.0/16")))
        assert up.carry(PACKET)
        assert not up.carry(replace(PACKET, source=ip_address("10.3.0.5")))
        assert up.west.drops()["selector-mismatch"] == 1
        assert up.west.counters(flow.inbound.id).dropped == 1

    def test_keys_that_differ_open_nothing(self, bench: Bench, flow: Flow) -> None:
        bench.west.apply(install(flow.inbound))
        bench.east.apply(policy())
        bench.east.apply(install(flow.outbound, encryption_key=keys("others", 20)))
        assert not bench.carry(PACKET)
        assert bench.west.counters(flow.inbound.id) == SaCounters(integrity_failed=1)
        assert bench.west.drops()["integrity-failed"] == 1
        assert tuple(bench.west.heard()) == ()

    def test_the_first_packet_and_any_packet_of_a_peer_are_told(self, up: Bench, flow: Flow) -> None:
        assert tuple(up.west.heard()) == ()
        up.carry(PACKET)
        up.carry(PACKET)
        assert tuple(up.west.notices()) == (FirstInbound(flow.inbound.id),)
        assert tuple(up.west.heard()) == (flow.spi,)
        assert tuple(up.west.heard()) == ()
        assert tuple(up.east.heard()) == ()

    def test_limits_are_told_once_and_the_hard_one_ends_the_sa(self, bench: Bench, flow: Flow) -> None:
        limits = SaLimits(soft_octets=2 * PACKET.size, hard_packets=3)
        bench.west.apply(install(flow.inbound))
        bench.east.apply(policy())
        bench.east.apply(install(flow.outbound, limits=limits))
        assert [bench.carry(PACKET) for _ in range(5)] == [True, True, True, False, False]
        sa = flow.outbound.id
        assert tuple(bench.east.notices()) == (SoftExpired(sa), HardExpired(sa))
        assert bench.east.counters(sa).packets == 3
        assert bench.east.counters(sa).dropped == 2

    def test_extended_sequence_numbers_carry_too(self, bench: Bench, flow: Flow) -> None:
        extended = replace(flow, esn=True)
        bench.west.apply(install(extended.inbound))
        bench.east.apply(policy())
        bench.east.apply(install(extended.outbound))
        assert bench.carry(PACKET)
