"""Several lanes: every tunnel has its worker when there is much to do, and what it carries keeps its order.

east ==six tunnels, each from an address of its own== west
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

import pytest

from isthmus.dataplane.userspace import UserspacePlane
from isthmus.lab.namespaces import Namespace, Playground
from isthmus.model.address import Endpoint
from isthmus.model.sa_spec import InstallPolicy, PolicySpec
from tests.dataplane.stand import ANY, Flow, install
from tests.dataplane.tap import silence

LANES = 3
TUNNELS = 2 * LANES
TRAINS = 2000
"""Of each tunnel: enough to keep one worker busy for longer than it takes to call the others."""
_TRAIN = 32
_SIZE = 200
_NUMBER = struct.Struct("!I")
_SEGMENT = 103
"""linux/udp.h, UDP_SEGMENT."""
_FORCED = 33
"""asm-generic/socket.h, SO_RCVBUFFORCE."""
_MUCH = 1_000_000
"""Nanoseconds: a worker that has nothing to do when it is called takes less."""
_WEST = Endpoint(ip_address("192.0.2.1"), 4500)


@dataclass(frozen=True, slots=True)
class Stand:
    east: Namespace
    west: Namespace
    planes: tuple[UserspacePlane, UserspacePlane]


@pytest.fixture
def stand() -> Iterator[Stand]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces and TUN devices need root")
    with Playground("lanes") as playground, ExitStack() as planes:
        east, west = playground.namespace("east"), playground.namespace("west")
        east.cable("eth0", west, "eth0")
        made = []
        for namespace, addresses in (
            (east, [_east(number).address for number in range(TUNNELS)]),
            (west, [_WEST.address]),
        ):
            for address in addresses:
                namespace.address("eth0", ip_interface(f"{address}/24"))
            with namespace.inside():
                plane = planes.enter_context(UserspacePlane(lanes=LANES))
                for address in addresses:
                    plane.listen(address)
                for number in range(TUNNELS):
                    plane.add_interface(_interface(number))
            made.append(plane)
        for number in range(TUNNELS):
            _join(number, (made[0], _east(number)), (made[1], _WEST))
            for namespace, near, far in ((east, 1, 2), (west, 2, 1)):
                silence(namespace, _interface(number))
                namespace.up(_interface(number))
                namespace.address(_interface(number), ip_interface(f"10.{near}.{number}.1/32"))
                namespace.route(ip_network(f"10.{far}.{number}.1/32"), _interface(number))
        yield Stand(east, west, (made[0], made[1]))


def _east(number: int) -> Endpoint:
    return Endpoint(ip_address(f"192.0.2.{10 + number}"), 4500)


def _interface(number: int) -> str:
    return f"tunnel.{number}"


def _join(number: int, *ends: tuple[UserspacePlane, Endpoint]) -> None:
    for spi, (sender, here), (receiver, there) in ((0x1000 + number, *ends), (0x2000 + number, *reversed(ends))):
        flow = Flow(here, there, spi=spi, child=f"{_interface(number)}:lan")
        receiver.apply(install(flow.inbound, interface=_interface(number)))
        sender.apply(InstallPolicy(PolicySpec(flow.child, _interface(number), 1, ANY, ANY)))
        sender.apply(install(flow.outbound, interface=_interface(number)))


def test_tunnels_keep_their_order_while_workers_come_and_go(stand: Stand) -> None:
    before = _time_of_workers()
    arrived = _flooded(stand)
    # Many are lost: nothing holds the senders back. But what came after another was sent after it.
    for numbers in arrived.values():
        assert len(numbers) > 100
        assert numbers == sorted(set(numbers))
    for plane in stand.planes:
        drops = plane.drops()
        assert (drops["replayed"], drops["integrity-failed"], drops["fault"]) == (0, 0, 0)
    busy = {name for name, time in _time_of_workers().items() if time > before[name] + _MUCH}
    workers = {f"esp-{way}-{lane}" for way in ("in", "out") for lane in range(LANES)}
    assert workers <= busy


def test_one_worker_alone_serves_every_lane(stand: Stand) -> None:
    for number in range(TUNNELS):
        with stand.west.inside():
            listener = socket.create_server((f"10.2.{number}.1", 7))
        with stand.east.inside():
            caller = socket.socket()
        with listener, caller:
            caller.settimeout(10)
            caller.bind((f"10.1.{number}.1", 0))
            caller.connect((f"10.2.{number}.1", 7))
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"here")
            assert caller.recv(10) == b"here"


def _flooded(stand: Stand) -> dict[int, list[int]]:
    """The numbers that came through each tunnel, in the order of their coming."""
    arrived: dict[int, list[int]] = defaultdict(list)
    threads = []
    with ExitStack() as sockets:
        for number in range(TUNNELS):
            with stand.west.inside():
                receiver = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            receiver.setsockopt(socket.SOL_SOCKET, _FORCED, 8 << 20)
            receiver.bind((f"10.2.{number}.1", 7))
            receiver.settimeout(2)
            with stand.east.inside():
                sender = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sender.setsockopt(socket.IPPROTO_UDP, _SEGMENT, _SIZE)
            sender.connect((f"10.2.{number}.1", 7))
            threads += [
                threading.Thread(target=_receive, args=(receiver, arrived[number])),
                threading.Thread(target=_send, args=(sender,)),
            ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return arrived


def _send(sender: socket.socket) -> None:
    filler = bytes(_SIZE - _NUMBER.size)
    for first in range(0, TRAINS * _TRAIN, _TRAIN):
        sender.send(b"".join(_NUMBER.pack(number) + filler for number in range(first, first + _TRAIN)))


def _receive(receiver: socket.socket, numbers: list[int]) -> None:
    try:
        while True:
            numbers.append(_NUMBER.unpack_from(receiver.recv(2000))[0])
    except TimeoutError:
        return


def _time_of_workers() -> dict[str, int]:
    """Nanoseconds that the threads of both planes have run, by the names that they share."""
    times: dict[str, int] = defaultdict(int)
    for task in Path("/proc/self/task").iterdir():
        times[(task / "comm").read_text().strip()] += int((task / "schedstat").read_text().split()[0])
    return times
