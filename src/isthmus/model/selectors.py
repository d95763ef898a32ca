"""Traffic selectors. RFC 7296, 3.13.1; RFC 4301, 4.4.1.1."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from isthmus.model.address import Address

ANY_PROTOCOL = 0
MAX_PORT = 65535
_PROTOCOL_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}


@dataclass(frozen=True, slots=True)
class TrafficSelector:
    """A range of addresses of one family, one protocol or any (0), and a range of ports.

    Opaque ports are written 65535-0 (RFC 7296, 3.13.1); for ICMP the ports are type and code.
    """

    start: Address
    end: Address
    protocol: int = ANY_PROTOCOL
    start_port: int = 0
    end_port: int = MAX_PORT

    @staticmethod
    def of_network(
        network: ipaddress.IPv4Network | ipaddress.IPv6Network,
        protocol: int = ANY_PROTOCOL,
        ports: tuple[int, int] = (0, MAX_PORT),
    ) -> TrafficSelector:
        return TrafficSelector(network.network_address, network.broadcast_address, protocol, *ports)

    @staticmethod
    def of_host(address: Address, protocol: int = ANY_PROTOCOL) -> TrafficSelector:
        return TrafficSelector(address, address, protocol)

    @property
    def version(self) -> int:
        """4 or 6."""
        return self.start.version

    @property
    def opaque_ports(self) -> bool:
        return self.start_port == MAX_PORT and self.end_port == 0

    @property
    def any_port(self) -> bool:
        return self.start_port == 0 and self.end_port == MAX_PORT

    def intersection(self, other: TrafficSelector) -> TrafficSelector | None:
        """What both admit, or None."""
        if self.version != other.version:
            return None
        start, end = max(int(self.start), int(other.start)), min(int(self.end), int(other.end))
        if start > end:
            return None
        if self.protocol and other.protocol and self.protocol != other.protocol:
            return None
        ports = _ports(self, other)
        if ports is None:
            return None
        family = type(self.start)
        return TrafficSelector(family(start), family(end), self.protocol or other.protocol, *ports)

    def contains(self, other: TrafficSelector) -> bool:
        """Whether everything that `other` admits is admitted here."""
        return self.intersection(other) == other

    def admits(self, address: Address, protocol: int, port: int) -> bool:
        """Whether a packet's address, protocol and port on this side match."""
        if address.version != self.version or not int(self.start) <= int(address) <= int(self.end):
            return False
        if self.protocol not in (ANY_PROTOCOL, protocol):
            return False
        return self.any_port or self.start_port <= port <= self.end_port

    def __str__(self) -> str:
        """`10.1.0.0/16`, `10.9.0.5-10.9.0.9[tcp/443]`: as the configuration writes addresses."""
        network = _network(self)
        text = str(network) if network else f"{self.start}-{self.end}"
        if self.protocol == ANY_PROTOCOL and self.any_port:
            return text
        protocol = _PROTOCOL_NAMES.get(self.protocol, str(self.protocol) if self.protocol else "any")
        if self.any_port:
            return f"{text}[{protocol}]"
        if self.opaque_ports:
            return f"{text}[{protocol}/opaque]"
        ports = str(self.start_port) if self.start_port == self.end_port else f"{self.start_port}-{self.end_port}"
        return f"{text}[{protocol}/{ports}]"


ANY_IPV4 = TrafficSelector.of_network(ipaddress.IPv4Network("0.0.0.0/0"))
ANY_IPV6 = TrafficSelector.of_network(ipaddress.IPv6Network("::/0"))


def _ports(one: TrafficSelector, other: TrafficSelector) -> tuple[int, int] | None:
    if one.any_port:
        return other.start_port, other.end_port
    if other.any_port:
        return one.start_port, one.end_port
    if one.opaque_ports or other.opaque_ports:
        return (MAX_PORT, 0) if one.opaque_ports and other.opaque_ports else None
    start, end = max(one.start_port, other.start_port), min(one.end_port, other.end_port)
    return (start, end) if start <= end else None


def _network(selector: TrafficSelector) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    start, span = int(selector.start), int(selector.start) ^ int(selector.end)
    if int(selector.end) < start or span & (span + 1) or start & span:
        return None
    prefix = selector.start.max_prefixlen - span.bit_length()
    if selector.version == 4:
        return ipaddress.IPv4Network((start, prefix))
    return ipaddress.IPv6Network((start, prefix))
