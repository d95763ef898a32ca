"""The user-space data plane on real interfaces and sockets: two sites in namespaces, and a stranger's socket."""

from __future__ import annotations

import ctypes
import os
import random
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_interface

import pytest

from isthmus._esp import EspSa
from isthmus.dataplane.backend import DataPlaneRefusal, FirstInbound, PeerMoved
from isthmus.dataplane.userspace import DROP_HELP, UserspacePlane
from isthmus.lab.namespaces import Namespace, Playground
from isthmus.model.address import Address, Datagram, Endpoint
from isthmus.model.sa_spec import RemoveSa
from tests.dataplane.conformance import PACKET, SIX
from tests.dataplane.stand import INTERFACE, Flow, install, octets, policy
from tests.dataplane.tap import PATIENCE, Tap, silence

FOUR_AT = {"east": "192.0.2.1", "west": "192.0.2.2"}
SIX_AT = {"east": "2001:db8::1", "west": "2001:db8::2"}
BIG = replace(PACKET, payload=bytes(4000))


@dataclass(slots=True)
class Site:
    namespace: Namespace
    plane: UserspacePlane
    tunnel: Tap
    wire: Tap
    name: str

    def at(self, version: int, port: int = 4500) -> Endpoint:
        return Endpoint(ip_address((FOUR_AT if version == 4 else SIX_AT)[self.name]), port)

    def sender(self, version: int = 4, tos: int = 0, *, udp: bool = True) -> socket.socket:
        """A socket of somebody else on this host."""
        kind, protocol = (socket.SOCK_DGRAM, 17) if udp else (socket.SOCK_RAW, 50)
        with self.namespace.inside():
            made = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, kind, protocol)
        if version == 4:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
        else:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
        made.bind((str(self.at(version).address), 0))
        return made

    def drops(self, code: str) -> int:
        return self.plane.drops()[code]


@pytest.fixture
def playground() -> Iterator[Playground]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces and TUN devices need root")
    with Playground("esp") as made:
        yield made


@pytest.fixture
def sites(playground: Playground) -> Iterator[tuple[Site, Site]]:
    here, there = playground.namespace("east"), playground.namespace("west")
    here.cable("eth0", there, "eth0")
    made = _site(here, "east"), _site(there, "west")
    yield made
    for site in made:
        site.tunnel.close()
        site.wire.close()
        site.plane.close()


def _site(namespace: Namespace, name: str) -> Site:
    namespace.address("eth0", ip_interface(f"{FOUR_AT[name]}/24"))
    namespace.address("eth0", ip_interface(f"{SIX_AT[name]}/64"))
    with namespace.inside():
        plane = UserspacePlane()
        plane.add_interface(INTERFACE)
        for text in (FOUR_AT[name], SIX_AT[name]):
            _listen(plane, ip_address(text))
    silence(namespace, INTERFACE)
    namespace.up(INTERFACE)
    return Site(namespace, plane, Tap(namespace, INTERFACE), Tap(namespace, "eth0"), name)


def _listen(plane: UserspacePlane, address: Address) -> None:
    """An IPv6 address is the host's a moment after it was given, not at once."""

    def done() -> bool:
        with suppress(DataPlaneRefusal):
            plane.listen(address)
            return True
        return False

    _until(done)


def _join(east: Site, west: Site, flow: Flow) -> None:
    west.plane.apply(install(flow.inbound))
    east.plane.apply(policy())
    east.plane.apply(install(flow.outbound))


def _flow(east: Site, west: Site, version: int = 4, *, udp: bool = True) -> Flow:
    return Flow(east.at(version), west.at(version), udp=udp)


def _until(true: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE / 0.01)):
        if true():
            return
        time.sleep(0.01)
    raise TimeoutError("it never became true")


def _address(endpoint: Endpoint) -> tuple[str, int]:
    return str(endpoint.address), endpoint.port


def _sealer(flow: Flow) -> EspSa:
    spec = flow.outbound
    assert spec.encryption is not None
    return EspSa(spi=spec.spi, encryption=spec.encryption.name, encryption_key=spec.encryption_key.reveal())


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "raw"])
@pytest.mark.parametrize("version", [4, 6], ids=["over-ipv4", "over-ipv6"])
def test_packets_cross_in_every_encapsulation(sites: tuple[Site, Site], version: int, udp: bool) -> None:
    east, west = sites
    _join(east, west, _flow(east, west, version, udp=udp))
    _join(west, east, replace(_flow(west, east, version, udp=udp), spi=0x2000))
    for packet in (PACKET, SIX):
        east.tunnel.send(octets(packet))
        assert west.tunnel.receive() == octets(packet)
        west.tunnel.send(octets(packet))
        assert east.tunnel.receive() == octets(packet)
    assert sum(east.plane.drops().values()) == sum(west.plane.drops().values()) == 0


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "raw"])
@pytest.mark.parametrize("version", [4, 6], ids=["over-ipv4", "over-ipv6"])
def test_hosts_ping_through_the_tunnel(sites: tuple[Site, Site], version: int, udp: bool) -> None:
    east, west = sites
    _join(east, west, _flow(east, west, version, udp=udp))
    _join(west, east, replace(_flow(west, east, version, udp=udp), spi=0x2000))
    for site, host, other in ((east, "10.9.0.1/32", "10.9.0.2/32"), (west, "10.9.0.2/32", "10.9.0.1/32")):
        site.namespace.address(INTERFACE, ip_interface(host))
        site.namespace.route(ip_interface(other).network, INTERFACE)
    answer = east.namespace.run("ping", "-c", "3", "-i", "0.2", "-s", "1300", "10.9.0.2")
    assert "3 received" in answer.stdout, answer.stdout


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "raw"])
@pytest.mark.parametrize("version", [4, 6], ids=["over-ipv4", "over-ipv6"])
def test_a_packet_larger_than_the_path_crosses_in_fragments(sites: tuple[Site, Site], version: int, udp: bool) -> None:
    east, west = sites
    for site in sites:
        assert site.namespace.run("ip", "link", "set", INTERFACE, "mtu", "9000").returncode == 0
    _join(east, west, _flow(east, west, version, udp=udp))
    east.tunnel.send(octets(BIG))
    assert west.tunnel.receive() == octets(BIG)


@pytest.mark.parametrize("copy_tos", [False, True])
@pytest.mark.parametrize("udp", [True, False], ids=["udp", "raw"])
@pytest.mark.parametrize("version", [4, 6], ids=["over-ipv4", "over-ipv6"])
def test_the_outer_header_has_the_inner_ecn_and_no_df(
    sites: tuple[Site, Site], version: int, udp: bool, copy_tos: bool
) -> None:
    east, west = sites
    flow = _flow(east, west, version, udp=udp)
    west.plane.apply(install(flow.inbound))
    east.plane.apply(policy())
    east.plane.apply(install(flow.outbound, copy_tos=copy_tos))
    inner = _with_tos(octets(PACKET), 0xB8 | 2)
    east.tunnel.send(inner)
    assert west.tunnel.receive() == inner
    outer = _seen(west.wire, version)
    expected = 0xB8 | 2 if copy_tos else 2
    if version == 4:
        assert outer[1] == expected
        assert outer[6] & 0x40 == 0
        assert outer[9] == (17 if udp else 50)
    else:
        assert (outer[0] & 0xF) << 4 | outer[1] >> 4 == expected
        assert outer[6] == (17 if udp else 50)


def _seen(wire: Tap, version: int) -> bytes:
    """The next protected packet on the wire; neighbours ask for each other before."""
    while True:
        packet = wire.receive()
        assert packet is not None
        if packet[0] >> 4 == version and packet[9 if version == 4 else 6] in (17, 50):
            return packet


def _with_tos(packet: bytes, tos: int) -> bytes:
    """The same IPv4 packet with another TOS, and a checksum to match."""
    header = bytearray(packet[:20])
    header[1], header[10:12] = tos, b"\0\0"
    total = sum(word for (word,) in struct.iter_unpack("!H", header))
    total = (total & 0xFFFF) + (total >> 16)
    header[10:12] = struct.pack("!H", total ^ 0xFFFF)
    return bytes(header) + packet[20:]


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "raw"])
@pytest.mark.parametrize("version", [4, 6], ids=["over-ipv4", "over-ipv6"])
def test_congestion_on_the_way_reaches_the_inner_packet(sites: tuple[Site, Site], version: int, udp: bool) -> None:
    east, west = sites
    flow = _flow(east, west, version, udp=udp)
    west.plane.apply(install(flow.inbound))
    sealed, _tos = _sealer(flow).encapsulate(_with_tos(octets(PACKET), 2))
    with east.sender(version, tos=3, udp=udp) as stranger:
        stranger.sendto(sealed, _address(west.at(version) if udp else west.at(version, port=0)))
    assert west.tunnel.receive() == _with_tos(octets(PACKET), 3)


@pytest.mark.parametrize("udp", [True, False], ids=["udp", "raw"])
def test_a_tunnel_that_swallows_its_own_packets_says_so(sites: tuple[Site, Site], udp: bool) -> None:
    east, west = sites
    _join(east, west, _flow(east, west, udp=udp))
    east.namespace.route(ip_interface(f"{FOUR_AT['west']}/32").network, INTERFACE)
    east.tunnel.send(octets(PACKET))
    _until(lambda: east.drops("routing-loop") == 1)


def test_a_packet_seen_before_is_dropped_and_told(sites: tuple[Site, Site]) -> None:
    east, west = sites
    flow = _flow(east, west)
    west.plane.apply(install(flow.inbound))
    sealed, _tos = _sealer(flow).encapsulate(octets(PACKET))
    with east.sender() as stranger:
        for _ in range(3):
            stranger.sendto(sealed, _address(west.at(4)))
        elsewhere = Endpoint(east.at(4).address, stranger.getsockname()[1])
    assert west.tunnel.receive() == octets(PACKET)
    _until(lambda: west.drops("replayed") == 2)
    assert west.plane.counters(flow.inbound.id).replayed == 2
    # Authentic, and from a port that is not the peer's: once, as the copies prove nothing.
    assert tuple(west.plane.notices()) == (
        FirstInbound(flow.inbound.id),
        PeerMoved(flow.inbound.id, elsewhere),
    )


def test_packets_that_overtake_the_answer_wait_for_their_sa(sites: tuple[Site, Site]) -> None:
    # The peer may send as soon as it has answered, and its packets arrive while the engine reads the answer.
    east, west = sites
    flow = _flow(east, west)
    _join(east, west, flow)
    west.plane.apply(RemoveSa(flow.inbound.id))
    for _ in range(3):
        east.tunnel.send(octets(PACKET))
    _until(lambda: east.plane.counters(flow.outbound.id).packets == 3)
    west.plane.apply(install(flow.inbound))
    for _ in range(3):
        assert west.tunnel.receive() == octets(PACKET)
    assert west.drops("unknown-spi") == 0


def test_an_sa_takes_its_packets_whether_they_come_in_udp_or_not(sites: tuple[Site, Site]) -> None:
    east, west = sites
    flow = _flow(east, west)
    east.plane.apply(policy())
    east.plane.apply(install(flow.outbound))
    west.plane.apply(install(flow.inbound, udp=False))
    east.tunnel.send(octets(PACKET))
    assert west.tunnel.receive() == octets(PACKET)
    assert tuple(west.plane.notices()) == (FirstInbound(flow.inbound.id),)


@pytest.mark.parametrize("version", [4, 6], ids=["over-ipv4", "over-ipv6"])
def test_the_nat_t_port_sorts_what_comes(sites: tuple[Site, Site], version: int) -> None:
    east, west = sites
    west.plane.apply(install(_flow(east, west, version).inbound))
    with east.sender(version) as stranger:
        there, source = _address(west.at(version)), Endpoint(east.at(version).address, stranger.getsockname()[1])
        for datagram in (b"\xff", b"\0\0\0\0hello", b"\0\0\0\xff1234", b"\0\0", b"", b"\x99\x99\x99\x99" * 9):
            stranger.sendto(datagram, there)
    codes = ("reserved-spi", "too-short", "unknown-spi")
    _until(lambda: [west.drops(code) for code in codes] == [1, 2, 1] and west.plane.keep_alives == 1)
    assert select.select([west.plane], [], [], PATIENCE)[0]
    assert west.plane.ike_datagrams() == [Datagram(west.at(version), source, b"hello")]
    assert not select.select([west.plane], [], [], 0)[0]
    assert west.plane.ike_datagrams() == []


@pytest.mark.parametrize("version", [4, 6], ids=["over-ipv4", "over-ipv6"])
def test_ike_and_keep_alives_leave_from_the_nat_t_port(sites: tuple[Site, Site], version: int) -> None:
    east, west = sites
    east.plane.send_ike(east.at(version), west.at(version), b"an exchange")
    _until(lambda: bool(select.select([west.plane], [], [], 0)[0]))
    assert west.plane.ike_datagrams() == [Datagram(west.at(version), east.at(version), b"an exchange")]
    east.plane.send_keep_alive(east.at(version), west.at(version))
    _until(lambda: west.plane.keep_alives == 1)


def test_ike_cannot_be_sent_from_where_nobody_listens(sites: tuple[Site, Site]) -> None:
    east, west = sites
    for local in (Endpoint(ip_address("192.0.2.99"), 4500), east.at(4, port=500)):
        with pytest.raises(DataPlaneRefusal, match="not listening"):
            east.plane.send_ike(local, west.at(4), b"x")


def test_a_flood_of_esp_leaves_room_for_ike(sites: tuple[Site, Site]) -> None:
    east, west = sites
    junk = b"\x99" * 1400
    with east.sender() as stranger:
        for count in range(20_000):
            stranger.sendto(junk, _address(west.at(4)))
            if count % 1000 == 0:
                stranger.sendto(b"\0\0\0\0" + bytes([count // 1000]), _address(west.at(4)))
    heard: list[bytes] = []

    def all_came() -> bool:
        heard.extend(datagram.octets for datagram in west.plane.ike_datagrams())
        return len(heard) == 20

    _until(all_came)
    assert heard == [bytes([count]) for count in range(20)]


def test_ike_that_nobody_reads_is_bounded(sites: tuple[Site, Site]) -> None:
    east, west = sites
    with east.sender() as stranger:
        for _ in range(300):
            stranger.sendto(b"\0\0\0\0" + bytes(60_000), _address(west.at(4)))
            time.sleep(0.001)
    _until(lambda: west.drops("ike-queue-full") > 0)
    waiting = west.plane.ike_datagrams()
    assert sum(len(datagram.octets) for datagram in waiting) <= 8 << 20


def test_noise_kills_nobody(sites: tuple[Site, Site]) -> None:
    east, west = sites
    flow = _flow(east, west)
    _join(east, west, flow)
    numbers = random.Random(4303)
    sealed, _tos = _sealer(replace(flow, keyed_by="nobody")).encapsulate(octets(PACKET))
    with east.sender() as stranger, east.sender(udp=False) as raw:
        for _ in range(3000):
            spoiled = bytearray(sealed[: numbers.randrange(len(sealed) + 1)])
            for _ in range(numbers.randrange(4)):
                if spoiled:
                    spoiled[numbers.randrange(len(spoiled))] = numbers.randrange(256)
            stranger.sendto(bytes(spoiled) or b"\0", _address(west.at(4)))
            raw.sendto(numbers.randbytes(numbers.randrange(80)), (str(west.at(4).address), 0))
            east.tunnel.send(bytes([0x40 | numbers.randrange(16)]) + numbers.randbytes(numbers.randrange(1, 80)))
    assert west.drops("fault") == east.drops("fault") == 0
    marker = octets(replace(PACKET, payload=b"still here"))

    def crossed() -> bool:
        # The queue of the interface may be full of noise still.
        east.tunnel.send(marker)
        return west.tunnel.receive(enough=lambda: True) == marker

    _until(crossed)


def test_an_interface_goes_with_its_plane(sites: tuple[Site, Site]) -> None:
    east, _west = sites

    def there(name: str) -> bool:
        return east.namespace.run("ip", "link", "show", name).returncode == 0

    with east.namespace.inside():
        east.plane.add_interface("tunnel.7")
        east.plane.add_interface("tunnel.7")
    assert there("tunnel.7")
    east.plane.remove_interface("tunnel.7")
    east.plane.remove_interface("tunnel.7")
    assert not there("tunnel.7")
    assert there(INTERFACE)
    east.plane.close()
    assert not there(INTERFACE)


@pytest.mark.parametrize("name", ["", "a" * 16, "tun%d", "a/b", "eth0"])
def test_a_name_that_cannot_be_is_refused(sites: tuple[Site, Site], name: str) -> None:
    east, _west = sites
    with east.namespace.inside(), pytest.raises(DataPlaneRefusal, match=f"cannot make tunnel interface {name}"):
        east.plane.add_interface(name)


def test_an_interface_that_somebody_removes_takes_nothing_else_along(sites: tuple[Site, Site]) -> None:
    east, west = sites
    flow = _flow(east, west)
    _join(east, west, flow)
    with east.namespace.inside():
        east.plane.add_interface("tunnel.7")
    assert east.namespace.run("ip", "link", "del", "tunnel.7").returncode == 0
    east.tunnel.send(octets(PACKET))
    assert west.tunnel.receive() == octets(PACKET)
    with east.namespace.inside():
        east.plane.remove_interface("tunnel.7")
        east.plane.add_interface("tunnel.7")


def test_a_packet_for_an_interface_that_is_gone_is_dropped(sites: tuple[Site, Site]) -> None:
    east, west = sites
    _join(east, west, _flow(east, west))
    west.plane.remove_interface(INTERFACE)
    east.tunnel.send(octets(PACKET))
    _until(lambda: west.drops("no-interface") == 1)


def test_a_second_plane_on_the_same_address_is_refused(sites: tuple[Site, Site]) -> None:
    east, _west = sites
    with east.namespace.inside(), UserspacePlane() as second:
        with pytest.raises(DataPlaneRefusal, match="in use: does another IKE daemon run here"):
            second.listen(east.at(4).address)
        east.plane.listen(east.at(4).address)
        east.plane.unlisten(east.at(4).address)
        second.listen(east.at(4).address)


def test_an_address_that_the_host_does_not_have_is_refused(sites: tuple[Site, Site]) -> None:
    east, _west = sites
    with east.namespace.inside(), pytest.raises(DataPlaneRefusal, match="does not have this address"):
        east.plane.listen(ip_address("203.0.113.1"))


def test_an_sa_whose_address_is_not_listened_on_sends_nothing(sites: tuple[Site, Site]) -> None:
    east, west = sites
    _join(east, west, _flow(east, west))
    east.plane.unlisten(east.at(4).address)
    east.tunnel.send(octets(PACKET))
    _until(lambda: east.drops("not-listening") == 1)


def test_missing_rights_are_named(playground: Playground) -> None:
    namespace = playground.namespace("poor")
    said: list[str] = []

    def poor() -> None:
        # Capabilities are a thread's own: this one gives up all, and ends.
        libc = ctypes.CDLL(None, use_errno=True)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        assert libc.capset(header, (ctypes.c_uint32 * 6)()) == 0
        with pytest.raises(DataPlaneRefusal) as refused:
            plane.add_interface(INTERFACE)
        said.append(refused.value.why)
        with pytest.raises(DataPlaneRefusal) as refused:
            plane.listen(ip_address("127.0.0.1"))
        said.append(refused.value.why)

    with namespace.inside(), UserspacePlane() as plane:
        thread = threading.Thread(target=poor)
        thread.start()
        thread.join()
    assert [("CAP_NET_ADMIN" in why, "no permission" in why) for why in said] == [(True, True)] * 2


def test_a_closed_plane_refuses_politely(sites: tuple[Site, Site]) -> None:
    east, west = sites
    east.plane.close()
    east.plane.close()
    with pytest.raises(DataPlaneRefusal, match="closed"):
        east.plane.apply(install(_flow(east, west).outbound))
    assert tuple(east.plane.notices()) == ()


def test_every_drop_has_a_code_and_a_meaning(sites: tuple[Site, Site]) -> None:
    east, _west = sites
    assert east.plane.drops().keys() == DROP_HELP.keys()
    assert all(DROP_HELP.values())


def test_a_hundred_rekeys_under_traffic_lose_nothing(sites: tuple[Site, Site]) -> None:
    east, west = sites
    flow = _flow(east, west)
    _join(east, west, flow)
    for turn in range(100):
        newer = replace(flow, spi=0x2000 + turn, keyed_by=f"turn {turn}")
        west.plane.apply(install(newer.inbound))
        _burst(east, turn, "before")
        east.plane.apply(install(newer.outbound))
        _burst(east, turn, "after")
        east.plane.apply(RemoveSa(flow.outbound.id))
        flow = newer
    assert len({west.tunnel.receive() for _ in range(1000)}) == 1000
    assert sum(west.plane.drops().values()) == sum(east.plane.drops().values()) == 0


def _burst(site: Site, turn: int, when: str) -> None:
    for number in range(5):
        site.tunnel.send(octets(replace(PACKET, payload=f"{turn} {when} {number}".encode())))
