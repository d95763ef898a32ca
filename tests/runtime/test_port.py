from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from isthmus.model.address import Endpoint
from isthmus.runtime.port import Port, Queue
from tests.network.namespace import Namespace, namespace, needs_root

pytestmark = needs_root

IP_FREEBIND = 15
SPI, NO_SPI = bytes(range(1, 9)), bytes(8)
NOTIFY, SA, COOKIE, REDIRECTED_FROM = 41, 33, 16390, 16408


@pytest.fixture
def host() -> Iterator[Namespace]:
    with namespace() as inside:
        inside.shell("ip link set lo up")
        for number in (1, 2, 3):
            inside.shell(f"ip addr add fd00::{number}/128 dev lo nodad")
        yield inside


def message(responder_spi: bytes, first: int, rest: bytes = b"") -> bytes:
    return SPI + responder_spi + struct.pack(">BBBBII", first, 0x20, 34, 8, 0, 28 + len(rest)) + rest


def notification(kind: int) -> bytes:
    return struct.pack(">BBHBBH", SA, 0, 16, 0, 0, kind) + bytes(8)


@pytest.mark.parametrize("address", ["127.0.0.1", "fd00::1"])
@pytest.mark.parametrize(
    ("octets", "queue"),
    [
        (message(NO_SPI, SA), Queue.FIRST),
        (message(NO_SPI, NOTIFY, notification(COOKIE)), Queue.PROVED),
        (message(NO_SPI, NOTIFY, notification(REDIRECTED_FROM)), Queue.FIRST),
        (message(NO_SPI, NOTIFY), Queue.FIRST),
        (message(SPI, SA), Queue.STANDING),
        (message(bytes(7) + b"\1", SA), Queue.STANDING),
        (b"\xff", Queue.FIRST),
        (b"", Queue.FIRST),
    ],
)
def test_the_kernel_sorts_by_responder_spi_and_cookie(
    host: Namespace, address: str, octets: bytes, queue: Queue
) -> None:
    def sorted_into() -> list[Queue]:
        local = Endpoint(ip_address(address), 500)
        port = Port(local)
        family = socket.AF_INET if local.address.version == 4 else socket.AF_INET6
        found: list[Queue] = []
        with socket.socket(family, socket.SOCK_DGRAM) as peer:
            # A new IPv6 address is usable a little later than it is there.
            until = time.monotonic() + 5
            while not found and time.monotonic() < until:
                peer.sendto(octets, (address, 500))
                found = [queue for queue in Queue if arrived(port.socket_of(queue)) == octets]
        port.close()
        return found

    assert host.run(sorted_into) == [queue]


@pytest.mark.parametrize(
    ("here", "there", "other"), [("127.0.0.1", "127.0.0.2", "127.0.0.3"), ("fd00::1", "fd00::2", "fd00::3")]
)
def test_first_messages_from_where_peers_are_expected_have_a_queue_of_their_own(
    host: Namespace, here: str, there: str, other: str
) -> None:
    def sorted_into() -> dict[str, list[Queue]]:
        port = Port(Endpoint(ip_address(here), 500))
        port.expect([ip_address(there), ip_address("203.0.113.9"), ip_address("2001:db8::9")])
        found: dict[str, list[Queue]] = {}
        for source in (there, other):
            with socket.socket(socket.AF_INET6 if ":" in here else socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
                peer.bind((source, 0))
                until = time.monotonic() + 5
                while not found.get(source) and time.monotonic() < until:
                    with contextlib.suppress(OSError):
                        peer.sendto(message(NO_SPI, SA), (here, 500))
                    found[source] = [queue for queue in Queue if arrived(port.socket_of(queue))]
                peer.sendto(message(SPI, SA), (here, 500))
                found[source] += [queue for queue in Queue if arrived(port.socket_of(queue))]
        port.close()
        return found

    assert host.run(sorted_into) == {
        there: [Queue.EXPECTED, Queue.STANDING],
        other: [Queue.FIRST, Queue.STANDING],
    }


def test_a_filter_holds_thousands_of_peers(host: Namespace) -> None:
    def expect() -> list[Queue]:
        peers = [ip_address("10.0.0.1") + number for number in range(5000)]
        port = Port(Endpoint(ip_address("127.0.0.1"), 500), expected=peers)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(message(NO_SPI, SA), ("127.0.0.1", 500))
        found = [queue for queue in Queue if arrived(port.socket_of(queue))]
        port.close()
        return found

    assert host.run(expect) == [Queue.FIRST]


def arrived(opened: socket.socket) -> bytes | None:
    try:
        return opened.recv(1000)
    except BlockingIOError:
        return None


def test_a_full_queue_keeps_nothing_out_of_the_others(host: Namespace) -> None:
    def fill() -> bytes | None:
        port = Port(Endpoint(ip_address("127.0.0.1"), 500))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for _ in range(20_000):
                peer.sendto(message(NO_SPI, SA), ("127.0.0.1", 500))
            peer.sendto(message(SPI, SA), ("127.0.0.1", 500))
        found = arrived(port.socket_of(Queue.STANDING))
        port.close()
        return found

    assert host.run(fill) == message(SPI, SA)


def test_answers_leave_from_the_port(host: Namespace) -> None:
    def answer() -> tuple[str, int]:
        port = Port(Endpoint(ip_address("127.0.0.1"), 500))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            port.send(b"answer", Endpoint(ip_address("127.0.0.1"), peer.getsockname()[1]))
            peer.settimeout(5)
            _, source = peer.recvfrom(100)
        port.close()
        return str(source[0]), int(source[1])

    assert host.run(answer) == ("127.0.0.1", 500)


def test_a_port_that_somebody_else_has_cannot_be_opened(host: Namespace) -> None:
    def open_taken() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 500))
            Port(Endpoint(ip_address("127.0.0.1"), 500))

    with pytest.raises(OSError, match="in use"):
        host.run(open_taken)
