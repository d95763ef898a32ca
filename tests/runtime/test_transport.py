from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import pytest

from isthmus.engine.outputs import SendDatagram, SendKeepAlive
from isthmus.events.event import Event
from isthmus.events.runtime import ListenFailed, Listening, SendFailed
from isthmus.model.address import Datagram, Endpoint
from isthmus.runtime import clock
from isthmus.runtime.transport import Transport
from tests.network.namespace import Namespace, namespace, needs_root
from tests.runtime.fakes import FakePlane

HERE, THERE = ip_address("127.0.0.1"), ip_address("127.0.0.2")
IP_FREEBIND = 15
"""Linux; Python does not name it. An address may be bound before it is usable."""
pytestmark = needs_root


class Bench:
    def __init__(self) -> None:
        self.plane = FakePlane()
        self.events: list[Event] = []
        self.delivered: list[Datagram] = []
        self.transport = Transport(
            self.plane, deliver=self.delivered.append, record=self.events.append, clock=clock.now
        )

    async def until_delivered(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.delivered) < count:
                await asyncio.sleep(0.001)


def inside(test: Callable[[Bench], Awaitable[None]], host: Namespace) -> None:
    async def run() -> None:
        bench = Bench()
        try:
            await test(bench)
        finally:
            bench.transport.close()
            bench.plane.close()

    host.run(lambda: asyncio.run(run()))


@pytest.fixture
def host() -> object:
    with namespace() as inside_:
        inside_.shell("ip link set lo up")
        yield inside_


def test_a_datagram_to_port_500_arrives_with_both_ends(host: Namespace) -> None:
    async def test(bench: Bench) -> None:
        bench.transport.listen(dict.fromkeys([HERE]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.2", 500))
            peer.sendto(b"hello", ("127.0.0.1", 500))
            await bench.until_delivered(1)
        assert bench.delivered == [Datagram(Endpoint(HERE, 500), Endpoint(THERE, 500), b"hello")]

    inside(test, host)


def received(peer: socket.socket) -> bytes | None:
    try:
        return peer.recv(100)
    except BlockingIOError:
        return None


def test_ipv6_goes_both_ways(host: Namespace) -> None:
    host.shell("ip addr add fd00::1/128 dev lo nodad; ip addr add fd00::2/128 dev lo nodad")
    ours, theirs = ip_address("fd00::1"), ip_address("fd00::2")

    async def test(bench: Bench) -> None:
        bench.transport.listen(dict.fromkeys([ours]))
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as peer:
            peer.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            peer.setblocking(False)
            peer.bind(("fd00::2", 500))
            # The kernel makes a new IPv6 address usable a little later, in a thread of its own.
            async with asyncio.timeout(10):
                while not received(peer):
                    bench.transport.retry()
                    bench.transport.send(SendDatagram(Endpoint(ours, 500), Endpoint(theirs, 500), b"there"))
                    await asyncio.sleep(0.01)
            peer.sendto(b"back", ("fd00::1", 500))
            await bench.until_delivered(1)
        assert bench.delivered == [Datagram(Endpoint(ours, 500), Endpoint(theirs, 500), b"back")]

    inside(test, host)


def test_a_message_leaves_from_the_address_that_it_names(host: Namespace) -> None:
    async def test(bench: Bench) -> None:
        bench.transport.listen(dict.fromkeys([HERE, THERE]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.3", 500))
            remote = Endpoint(ip_address("127.0.0.3"), 500)
            for local in (HERE, THERE):
                bench.transport.send(SendDatagram(Endpoint(local, 500), remote, b"who"))
                assert peer.recvfrom(100) == (b"who", (str(local), 500))

    inside(test, host)


def test_the_nat_t_port_goes_through_the_data_plane(host: Namespace) -> None:
    async def test(bench: Bench) -> None:
        bench.transport.listen(dict.fromkeys([HERE]))
        ends = Endpoint(HERE, 4500), Endpoint(THERE, 4500)
        bench.transport.send(SendDatagram(*ends, b"message"))
        bench.transport.send_keep_alive(SendKeepAlive(*ends))
        assert bench.plane.listening == {HERE}
        assert bench.plane.log == [(*ends, b"message"), ends]

    inside(test, host)


def test_an_icmp_error_harms_nothing(host: Namespace) -> None:
    async def test(bench: Bench) -> None:
        bench.transport.listen(dict.fromkeys([HERE]))
        for _ in range(3):
            bench.transport.send(SendDatagram(Endpoint(HERE, 500), Endpoint(THERE, 500), b"to nobody"))
            await asyncio.sleep(0.01)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"still there?", ("127.0.0.1", 500))
            await bench.until_delivered(1)
        assert not any(isinstance(event, SendFailed) for event in bench.events)

    inside(test, host)


def test_a_way_that_fails_is_told_once_and_again_after_it_worked(host: Namespace) -> None:
    async def test(bench: Bench) -> None:
        bench.transport.listen(dict.fromkeys([HERE]))
        far = SendDatagram(Endpoint(HERE, 500), Endpoint(ip_address("198.51.100.1"), 500), b"x")
        for _ in range(3):
            bench.transport.send(far)
        assert [e.why for e in bench.events if isinstance(e, SendFailed)] == ["Network is unreachable"]
        host_route("add")
        bench.transport.send(far)
        host_route("del")
        bench.transport.send(far)
        assert sum(isinstance(e, SendFailed) for e in bench.events) == 2

    def host_route(verb: str) -> None:
        subprocess.run(["ip", "route", verb, "198.51.100.0/24", "dev", "lo"], check=True)

    inside(test, host)


def test_sending_from_where_nothing_listens_is_told(host: Namespace) -> None:
    async def test(bench: Bench) -> None:
        bench.transport.send(SendDatagram(Endpoint(HERE, 500), Endpoint(THERE, 500), b"x"))
        assert [e.why for e in bench.events if isinstance(e, SendFailed)] == ["nothing listens at this address"]

    inside(test, host)


def test_an_address_that_comes_later_is_listened_at_later(host: Namespace) -> None:
    async def test(bench: Bench) -> None:
        late = ip_address("192.0.2.1")
        bench.plane.refused[late] = "no such address"
        bench.transport.listen(dict.fromkeys([late]))
        bench.transport.retry()
        assert [(e.local.port, e.why) for e in bench.events if isinstance(e, ListenFailed)] == [
            (500, "Cannot assign requested address"),
            (4500, "no such address"),
        ]
        assert bench.transport.listening == frozenset()
        subprocess.run(["ip", "addr", "add", "192.0.2.1/32", "dev", "lo"], check=True)
        bench.plane.refused.clear()
        bench.transport.retry()
        assert bench.transport.listening == {Endpoint(late, 500), Endpoint(late, 4500)}
        assert [e.local for e in bench.events if isinstance(e, Listening)] == [
            Endpoint(late, 500),
            Endpoint(late, 4500),
        ]

    inside(test, host)


def test_what_is_retained_keeps_its_socket_and_the_rest_is_closed(host: Namespace) -> None:
    async def test(bench: Bench) -> None:
        bench.transport.listen(dict.fromkeys([HERE, THERE]))
        kept = bench.transport._ports[HERE]
        bench.transport.retain([HERE])
        bench.transport.listen(dict.fromkeys([HERE]))
        assert bench.transport._ports == {HERE: kept}
        assert bench.plane.listening == {HERE}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.2", 500))

    inside(test, host)
