"""Listens on the wire between the sites, and judges what crossed."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from types import TracebackType

from isthmus.lab.namespaces import Namespace
from isthmus.model.address import IKE_PORT, NAT_T_PORT, Address

_ETH_P_ALL = 0x0003
_ETH_P_IPV4, _ETH_P_IPV6 = 0x0800, 0x86DD
_PACKET_OUTGOING = 4
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_SO_RCVBUFFORCE = 33
_UDP, _ESP, _ICMP, _ICMPV6 = 17, 50, 1, 58
_ICMP_ERRORS = (3, 4, 5, 11, 12)
_ICMPV6_FIRST_QUESTION = 128
_BUFFER = 32 << 20
_LINKTYPE_RAW = 101


@dataclass(frozen=True, slots=True)
class Seen:
    """One packet as the router in the middle received it, without its link header."""

    at: float
    ethertype: int
    octets: bytes


class Capture:
    """Keeps every packet that arrives in a namespace, from the moment that it is made."""

    def __init__(self, where: Namespace) -> None:
        with where.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._socket.settimeout(0.05)
        self._seen: list[Seen] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="capture", daemon=True)
        self._thread.start()
        self.missed = 0
        """Packets that came too fast to be kept: with any of them the capture proves nothing."""

    def stop(self) -> tuple[Seen, ...]:
        """Ends listening; everything that was seen, oldest first."""
        self._ended.set()
        self._thread.join()
        if self._socket.fileno() >= 0:
            _, self.missed = struct.unpack("II", self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
            self._socket.close()
        return tuple(self._seen)

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen(self) -> None:
        while True:
            try:
                octets, (_, ethertype, kind, *_) = self._socket.recvfrom(1 << 16)
            except TimeoutError:
                # What had arrived before the end is still read: only silence ends this.
                if self._ended.is_set():
                    return
                continue
            if kind != _PACKET_OUTGOING:
                self._seen.append(Seen(time.time(), ethertype, octets))


class Kind(StrEnum):
    IKE = "IKE"
    ESP = "ESP"
    ESP_IN_UDP = "ESP in UDP"
    KEEP_ALIVE = "NAT keep-alive"
    LINK = "link housekeeping"
    """ARP, neighbour discovery, group membership: between two neighbours only, never forwarded."""
    ICMP_ERROR = "ICMP about IKE or ESP"
    """A gateway that is not listening yet says so by quoting what came."""
    OTHER = "in the clear"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the wire saw."""

    kinds: Counter[Kind]
    exposed: tuple[str, ...]
    """Inner addresses and pieces of the traffic that were readable, once each."""

    @property
    def sealed(self) -> bool:
        """Nothing but IKE and ESP crossed, and nothing inner was readable."""
        return not self.exposed and not self.kinds[Kind.OTHER]


def judge(packets: Iterable[Seen], inner: frozenset[Address], markers: Iterable[bytes]) -> Verdict:
    """`inner`: addresses that must not be seen; `markers`: octets of the traffic that must not be readable."""
    kinds: Counter[Kind] = Counter()
    exposed: dict[str, None] = {}
    markers = tuple(markers)
    for packet in packets:
        kind, ends = _classify(packet)
        kinds[kind] += 1
        exposed |= {f"address {end}": None for end in ends if end in inner}
        exposed |= {repr(marker.decode("utf-8", "replace")): None for marker in markers if marker in packet.octets}
    return Verdict(kinds, tuple(exposed))


def _classify(packet: Seen) -> tuple[Kind, tuple[Address, ...]]:
    octets = packet.octets
    if packet.ethertype == _ETH_P_IPV4 and len(octets) >= 20:
        return _ipv4(octets), (IPv4Address(octets[12:16]), IPv4Address(octets[16:20]))
    if packet.ethertype == _ETH_P_IPV6 and len(octets) >= 40:
        source, destination = IPv6Address(octets[8:24]), IPv6Address(octets[24:40])
        local = source.is_link_local or source.is_unspecified or destination.is_link_local or destination.is_multicast
        return Kind.LINK if local else _upper(octets[6], octets[40:]), (source, destination)
    return Kind.LINK, ()


def _ipv4(octets: bytes) -> Kind:
    if int.from_bytes(octets[6:8]) & 0x1FFF:  # a later fragment has no ports
        return Kind.ESP if octets[9] == _ESP else Kind.OTHER
    return _upper(octets[9], octets[(octets[0] & 0x0F) * 4 :])


def _upper(protocol: int, body: bytes) -> Kind:
    if protocol == _ESP:
        return Kind.ESP
    if protocol == _UDP and len(body) > 8:
        return _udp(struct.unpack_from("!HH", body), body[8:])
    # ICMP errors quote the packet that they are about, behind eight octets of their own.
    if protocol == _ICMP and len(body) >= 28 and body[0] in _ICMP_ERRORS:
        return Kind.OTHER if _ipv4(body[8:]) is Kind.OTHER else Kind.ICMP_ERROR
    if protocol == _ICMPV6 and len(body) >= 48 and body[0] < _ICMPV6_FIRST_QUESTION:
        return Kind.OTHER if _upper(body[14], body[48:]) is Kind.OTHER else Kind.ICMP_ERROR
    return Kind.OTHER


def _udp(ports: tuple[int, ...], payload: bytes) -> Kind:
    if IKE_PORT in ports:
        return Kind.IKE
    if NAT_T_PORT not in ports:
        return Kind.OTHER
    # RFC 3948, 2: four zero octets mark IKE, one octet 0xFF a keep-alive; the rest is ESP.
    if payload[:4] == bytes(4):
        return Kind.IKE
    return Kind.KEEP_ALIVE if payload == b"\xff" else Kind.ESP_IN_UDP


def write_pcap(packets: Iterable[Seen], path: Path) -> None:
    """The IP packets as a capture file that Wireshark and tcpdump read."""
    with path.open("wb") as file:
        file.write(struct.pack("!IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 16, _LINKTYPE_RAW))
        for packet in packets:
            if packet.ethertype in (_ETH_P_IPV4, _ETH_P_IPV6):
                seconds, size = divmod(packet.at, 1), len(packet.octets)
                file.write(struct.pack("!IIII", int(seconds[0]), int(seconds[1] * 1e6), size, size) + packet.octets)
