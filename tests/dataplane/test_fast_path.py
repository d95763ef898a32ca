"""The fast path against the plain one: the same packets go in, and the same come out at a host behind the tunnel.

east ==tunnel== west --- host
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import json
import os
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment
from scapy.packet import Packet, Raw

from isthmus.dataplane.userspace import UserspacePlane
from isthmus.lab.namespaces import Namespace, Playground
from isthmus.model.address import Endpoint
from tests.dataplane.stand import INTERFACE, Flow, install, policy
from tests.dataplane.tap import Tap, silence

EAST, WEST = Endpoint(ip_address("192.0.2.1"), 4500), Endpoint(ip_address("192.0.2.2"), 4500)
NEAR, FAR = {4: "10.1.0.2", 6: "fd00:1::2"}, {4: "10.2.0.2", 6: "fd00:2::2"}
MARKER = b"that was all"
_MANY = 30_000 if os.environ.get("ISTHMUS_FULL") == "1" else 3000
"""A million go through both without a system between them: rust/esp-core/tests/esp/differential.rs."""


@dataclass
class Stand:
    east: Namespace
    west: Namespace
    host: Namespace
    planes: tuple[UserspacePlane, UserspacePlane]
    tunnel: Tap
    arrivals: Tap

    def drops(self) -> list[dict[str, int]]:
        return [plane.drops() for plane in self.planes]

    def close(self) -> None:
        self.tunnel.close()
        self.arrivals.close()
        for plane in self.planes:
            plane.close()


@pytest.fixture
def playground() -> Iterator[Playground]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces and TUN devices need root")
    with Playground("fast") as made:
        yield made


def _stand(playground: Playground, label: str, *, sender: bool, receiver: bool, udp: bool = True) -> Stand:
    east, west, host = (playground.namespace(f"{label}{name}") for name in ("east", "west", "host"))
    east.cable("eth0", west, "eth0")
    west.cable("eth1", host, "eth0")
    west.forward()
    planes = []
    for namespace, here, offload in ((east, EAST, sender), (west, WEST, receiver)):
        namespace.address("eth0", ip_interface(f"{here.address}/24"))
        with namespace.inside():
            plane = UserspacePlane(offload=offload)
            plane.add_interface(INTERFACE)
            plane.listen(here.address)
        planes.append(plane)
    for one, other, here, there, spi in ((0, 1, EAST, WEST, 0x1000), (1, 0, WEST, EAST, 0x2000)):
        flow = Flow(here, there, spi=spi, udp=udp)
        planes[other].apply(install(flow.inbound))
        planes[one].apply(policy())
        planes[one].apply(install(flow.outbound))
    for namespace in (east, west):
        namespace.up(INTERFACE)
    for near, far in zip(NEAR.values(), FAR.values(), strict=True):
        bits = ip_address(near).max_prefixlen
        gateway = ip_address(far) - 1
        plain = 24 if bits == 32 else 64
        east.address(INTERFACE, ip_interface(f"{near}/{bits}"))
        east.route(ip_network(f"{far}/{bits}"), INTERFACE)
        west.address("eth1", ip_interface(f"{gateway}/{plain}"))
        west.route(ip_network(f"{near}/{bits}"), INTERFACE)
        host.address("eth0", ip_interface(f"{far}/{plain}"))
        host.route(ip_network("0.0.0.0/0" if bits == 32 else "::/0"), "eth0", via=gateway)
    return Stand(east, west, host, (planes[0], planes[1]), Tap(east, INTERFACE), Tap(host, "eth0"))


def _variety(count: int) -> list[bytes]:
    """Runs of TCP and UDP as they come in life, and between them what may confuse."""
    numbers = random.Random(9)
    packets: list[bytes] = []
    for run in range(count // 12):
        version = numbers.choice((4, 6))
        port = 1000 + run
        size = numbers.choice((64, 500, 1200))
        for step in range(12):
            body = numbers.randbytes(size if step < 11 else size // 2)
            upper: Packet
            if run % 2:
                upper = TCP(sport=port, dport=7, seq=step * size, ack=1, flags="A", options=[("Timestamp", (1, 2))])
            else:
                upper = UDP(sport=port, dport=7)
            if numbers.random() < 0.03:
                upper.chksum = numbers.randrange(1, 65535)
            packets.append(_around(numbers, version, step, upper / Raw(body)))
        packets += _oddities(numbers, version, port)
    return packets


def _around(numbers: random.Random, version: int, step: int, upper: Packet) -> bytes:
    if version == 4:
        options = [IPOption_NOP()] * 4 if numbers.random() < 0.02 else []
        df = "DF" if step % 2 or numbers.random() < 0.9 else ""
        return bytes(IP(src=NEAR[4], dst=FAR[4], id=step, flags=df, options=options) / upper)
    if numbers.random() < 0.02:
        return bytes(IPv6(src=NEAR[6], dst=FAR[6]) / IPv6ExtHdrDestOpt() / upper)
    return bytes(IPv6(src=NEAR[6], dst=FAR[6], tc=numbers.choice((0, 0, 0, 2))) / upper)


def _oddities(numbers: random.Random, version: int, port: int) -> list[bytes]:
    body = Raw(numbers.randbytes(700))
    if version == 4:
        whole = IP(src=NEAR[4], dst=FAR[4], id=port) / UDP(sport=port, dport=7) / body
        pieces = fragment(whole, fragsize=304)  # type: ignore[no-untyped-call]
        return [*map(bytes, pieces), bytes(IP(src=NEAR[4], dst=FAR[4], proto=47) / body)]
    odd = IPv6(src=NEAR[6], dst=FAR[6]) / IPv6ExtHdrFragment(m=0, offset=0, id=port) / UDP(sport=port, dport=7) / body
    return [bytes(odd), bytes(IP(src=NEAR[4], dst=FAR[4]) / ICMP(type=13) / body)]


def _carried(stand: Stand, packets: list[bytes]) -> Counter[bytes]:
    """What arrives at the host, in pieces as small as they can be."""
    arrived: Counter[bytes] = Counter()
    marker = bytes(IP(src=NEAR[4], dst=FAR[4], flags="DF") / UDP(sport=1, dport=1) / Raw(MARKER))
    for start in range(0, len(packets), 100):
        for packet in packets[start : start + 100]:
            stand.tunnel.send(packet)
        stand.tunnel.send(marker)
        while (came := stand.arrivals.receive()) is not None and not came.endswith(MARKER):
            if any(ip_address(near).packed in came[8:28] for near in NEAR.values()):  # neighbours greet each other
                arrived[_without_identification(came)] += 1
    return arrived


def _without_identification(packet: bytes) -> bytes:
    """RFC 6864, 4.1: with DF and no fragments it means nothing."""
    if packet[0] >> 4 == 4 and packet[6] & 0x40:
        return packet[:4] + packet[6:10] + packet[12:]
    return packet


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "raw"])
def test_the_same_packets_come_out_of_the_fast_path_and_the_plain_one(playground: Playground, udp: bool) -> None:
    packets = _variety(_MANY)
    came = []
    for offload in (False, True):
        stand = _stand(playground, str(int(offload)), sender=offload, receiver=offload, udp=udp)
        silence(stand.east, INTERFACE)
        try:
            _segment_in_software(stand)
            # The system greets its neighbours while the interfaces come up one after the other.
            before = stand.drops()
            came.append(_carried(stand, packets))
            assert stand.drops() == before
        finally:
            stand.close()
    plain, fast = came
    assert sum(plain.values()) > 0.9 * len(packets)
    assert fast == plain


def test_a_tunnel_interface_keeps_a_burst(playground: Playground) -> None:
    """A sender that has the processor for some milliseconds sends more small packets than the system's own 500."""
    stand = _stand(playground, "", sender=True, receiver=True)
    silence(stand.east, INTERFACE)
    try:
        link = json.loads(stand.east.run("ip", "-json", "link", "show", INTERFACE).stdout)[0]
        assert link["txqlen"] == 2048
    finally:
        stand.close()


def _segment_in_software(stand: Stand) -> None:
    """The wire to the host takes one packet at a time, with its checksum: linux/ethtool.h, ETHTOOL_STXCSUM."""
    value = ctypes.create_string_buffer(struct.pack("II", 0x17, 0))
    with stand.west.inside(), socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8946, struct.pack("16sP", b"eth1", ctypes.addressof(value)))  # SIOCETHTOOL


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "raw"])
@pytest.mark.parametrize("version", [4, 6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize(("sender", "receiver"), [(True, True), (True, False), (False, True), (False, False)])
def test_a_stream_and_its_datagrams_arrive_whole(
    playground: Playground, sender: bool, receiver: bool, version: int, udp: bool
) -> None:
    stand = _stand(playground, "", sender=sender, receiver=receiver, udp=udp)
    try:
        data = random.Random(1).randbytes(8 << 20)
        assert hashlib.sha256(_through_tcp(stand, version, data)).digest() == hashlib.sha256(data).digest()
        datagrams = [struct.pack("!I", number) * 300 for number in range(64)]
        assert _through_udp(stand, version, datagrams) == datagrams
    finally:
        stand.close()


def _through_tcp(stand: Stand, version: int, data: bytes) -> bytes:
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with stand.host.inside():
        listener = socket.create_server((FAR[version], 7), family=family)
    with stand.east.inside():
        sender = socket.socket(family)
    received = bytearray()

    def take() -> None:
        peer, _ = listener.accept()
        with peer:
            while chunk := peer.recv(1 << 20):
                received.extend(chunk)

    thread = threading.Thread(target=take)
    thread.start()
    with listener, sender:
        sender.settimeout(20)
        sender.connect((FAR[version], 7))
        sender.sendall(data)
        sender.shutdown(socket.SHUT_WR)
        thread.join(20)
    return bytes(received)


def _through_udp(stand: Stand, version: int, datagrams: list[bytes]) -> list[bytes]:
    """Sent as one train: the system hands it on whole."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with stand.host.inside():
        receiver = socket.socket(family, socket.SOCK_DGRAM)
    with stand.east.inside():
        sender = socket.socket(family, socket.SOCK_DGRAM)
    with receiver, sender:
        receiver.settimeout(20)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        receiver.bind((FAR[version], 7))
        sender.setsockopt(socket.IPPROTO_UDP, 103, len(datagrams[0]))  # linux/udp.h, UDP_SEGMENT
        for start in range(0, len(datagrams), 32):
            sender.sendto(b"".join(datagrams[start : start + 32]), (FAR[version], 7))
        return [receiver.recv(2000) for _ in datagrams]
