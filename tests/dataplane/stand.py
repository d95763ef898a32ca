"""SAs and policies as the engine would ask for them, between two sites called east and west."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, replace
from ipaddress import ip_network

from isthmus.dataplane.memory import Packet
from isthmus.model.address import Address, Endpoint
from isthmus.model.algorithms import ENCRYPTION_BY_NAME, INTEGRITY_BY_NAME
from isthmus.model.quantities import InboundSpi, OutboundSpi
from isthmus.model.sa_spec import Direction, InstallPolicy, InstallSa, PolicySpec, SaSpec
from isthmus.model.secret import Secret
from isthmus.model.selectors import ANY_IPV4, ANY_IPV6, TrafficSelector

ANY = (ANY_IPV4, ANY_IPV6)
CHILD = "branch:lan"
INTERFACE = "tunnel.1"


def selectors(*networks: str) -> tuple[TrafficSelector, ...]:
    return tuple(TrafficSelector.of_network(ip_network(network)) for network in networks)


def keys(label: str, count: int) -> Secret:
    return Secret(hashlib.shake_256(label.encode()).digest(count))


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of a Child SA, which both ends see from their side."""

    sender: Endpoint
    receiver: Endpoint
    spi: int = 0x1000
    child: str = CHILD
    encryption: str = "aes-128-gcm"
    integrity: str | None = None
    udp: bool = True
    esn: bool = False
    keyed_by: str = "agreed"

    @property
    def outbound(self) -> SaSpec:
        spec = replace(self._spec, direction=Direction.OUTBOUND, spi=OutboundSpi(self.spi))
        return replace(spec, local=self.sender, remote=self.receiver)

    @property
    def inbound(self) -> SaSpec:
        return self._spec

    @property
    def _spec(self) -> SaSpec:
        encryption = ENCRYPTION_BY_NAME[self.encryption]
        integrity = INTEGRITY_BY_NAME[self.integrity] if self.integrity else None
        return SaSpec(
            direction=Direction.INBOUND,
            spi=InboundSpi(self.spi),
            child=self.child,
            interface=INTERFACE,
            local=self.receiver,
            remote=self.sender,
            udp=self.udp,
            local_selectors=ANY,
            remote_selectors=ANY,
            encryption=encryption,
            encryption_key=keys(self.keyed_by, encryption.key + encryption.salt),
            integrity=integrity,
            integrity_key=keys(f"{self.keyed_by} too", integrity.key if integrity else 0),
            esn=self.esn,
        )


def install(spec: SaSpec, **changes: object) -> InstallSa:
    return InstallSa(replace(spec, **changes))  # type: ignore[arg-type]


def policy(child: str = CHILD, order: int = 1, remote: tuple[TrafficSelector, ...] = ANY) -> InstallPolicy:
    return InstallPolicy(PolicySpec(child, INTERFACE, order, ANY, remote))


def octets(packet: Packet) -> bytes:
    """The packet as it stands on the wire."""
    transport = struct.pack("!HHHH", packet.source_port, packet.destination_port, 8 + len(packet.payload), 0)
    return _header(packet.source, packet.destination, packet.protocol, 8 + len(packet.payload)) + (
        transport + packet.payload
    )


def _header(source: Address, destination: Address, protocol: int, length: int) -> bytes:
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, protocol, 64) + source.packed + destination.packed
    start = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, 1, 0, 64, protocol)
    ends = source.packed + destination.packed
    return start + struct.pack("!H", _checksum(start + b"\0\0" + ends)) + ends


def _checksum(header: bytes) -> int:
    total: int = sum(word for (word,) in struct.iter_unpack("!H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
