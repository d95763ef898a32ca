"""The conformance suite, for each data plane that there is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface

import pytest

from isthmus.dataplane.memory import MemoryPlane, Packet
from isthmus.dataplane.userspace import UserspacePlane
from isthmus.lab.namespaces import Namespace, Playground
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Instant
from tests.dataplane.conformance import Carrying, Choosing, Installing
from tests.dataplane.stand import INTERFACE, octets
from tests.dataplane.tap import Tap, silence

EAST = Endpoint(ip_address("192.0.2.1"), 4500)
EAST_OTHER = Endpoint(ip_address("192.0.2.11"), 4500)
WEST = Endpoint(ip_address("192.0.2.2"), 4500)
WEST_OTHER = Endpoint(ip_address("192.0.2.12"), 4500)


class _Addresses:
    east_at, east_other, west_at, west_other = EAST, EAST_OTHER, WEST, WEST_OTHER


class MemoryBench(_Addresses):
    """Two planes in memory; the wire is a call."""

    def __init__(self) -> None:
        self.east, self.west = (MemoryPlane(lambda: Instant(0.0)) for _ in range(2))

    def carry(self, packet: Packet) -> bool:
        sent = self.east.send(INTERFACE, packet)
        arrived = self.west.receive(sent.esp, sent.local) if sent else None
        return arrived is not None and arrived.packet == packet


class UserspaceBench(_Addresses):
    """Two planes in namespaces of their own, joined by a cable."""

    def __init__(self, playground: Playground) -> None:
        here, there = playground.namespace("east"), playground.namespace("west")
        here.cable("eth0", there, "eth0")
        self.east, self._in = _plane(here, EAST, EAST_OTHER)
        self.west, self._out = _plane(there, WEST, WEST_OTHER)

    def carry(self, packet: Packet) -> bool:
        sent, before = octets(packet), self._dropped()
        self._in.send(sent)
        return self._out.receive(enough=lambda: self._dropped() > before) == sent

    def _dropped(self) -> int:
        return sum(self.east.drops().values()) + sum(self.west.drops().values())

    def close(self) -> None:
        for tap in (self._in, self._out):
            tap.close()
        for plane in (self.east, self.west):
            plane.close()


def _plane(namespace: Namespace, *endpoints: Endpoint) -> tuple[UserspacePlane, Tap]:
    for endpoint in endpoints:
        namespace.address("eth0", ip_interface(f"{endpoint.address}/24"))
    with namespace.inside():
        plane = UserspacePlane()
        plane.add_interface(INTERFACE)
        for endpoint in endpoints:
            plane.listen(endpoint.address)
    silence(namespace, INTERFACE)
    namespace.up(INTERFACE)
    return plane, Tap(namespace, INTERFACE)


class _InMemory:
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()


class _InUserspace:
    @pytest.fixture
    def bench(self) -> Iterator[UserspaceBench]:
        if os.geteuid() != 0:
            pytest.skip("network namespaces and TUN devices need root")
        with Playground("plane") as playground:
            bench = UserspaceBench(playground)
            yield bench
            bench.close()


class TestMemoryChooses(_InMemory, Choosing):
    pass


class TestMemoryInstalls(_InMemory, Installing):
    pass


class TestMemoryCarries(_InMemory, Carrying):
    pass


class TestUserspaceChooses(_InUserspace, Choosing):
    pass


class TestUserspaceInstalls(_InUserspace, Installing):
    pass


class TestUserspaceCarries(_InUserspace, Carrying):
    pass
