"""Addresses, networks, peers, protocols and ports."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from isthmus.config.problems import CONFLICT, MALFORMED, OUT_OF_RANGE, UNKNOWN_VALUE, nearest
from isthmus.config.values.kind import Context, Kind, fault, shortened
from isthmus.model.address import Address
from isthmus.model.plan import DynamicPeer, FixedPeer, InterfaceAddress, NamedPeer, Network, PeerAddress
from isthmus.model.selectors import ANY_PROTOCOL, MAX_PORT

PROTOCOLS = {"any": ANY_PROTOCOL, "icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "sctp": 132}
WITH_PORTS = frozenset({6, 17, 132})

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_NUMBER = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class AddressRange:
    """Both ends belong to it."""

    start: Address
    end: Address

    @property
    def version(self) -> int:
        return self.start.version

    def __str__(self) -> str:
        return str(self.start) if self.start == self.end else f"{self.start}-{self.end}"


class HostAddress(Kind):
    """One IPv4 or IPv6 address of a host."""

    def read(self, text: str, context: Context) -> Address:
        return _host(text)

    def values(self) -> str:
        return "an IPv4 or IPv6 address"


class PrefixedAddress(Kind):
    """An address with the prefix length of its network."""

    def read(self, text: str, context: Context) -> InterfaceAddress:
        if "/" not in text:
            address = _address(text)
            raise fault(MALFORMED, f"{address} lacks its prefix length", f"{address}/{address.max_prefixlen}")
        try:
            return ipaddress.ip_interface(str(text))
        except ValueError:
            raise fault(MALFORMED, f'"{shortened(text)}" is not an address with a prefix length') from None

    def values(self) -> str:
        return "an address with its prefix length: `10.255.0.1/30`"

    def wanted(self) -> str:
        return "an address with its prefix length"


class Prefix(Kind):
    """A network, written with no bits set beyond its prefix length."""

    def read(self, text: str, context: Context) -> Network:
        return _network(text)

    def values(self) -> str:
        return "a network: `10.2.0.0/16`, `2001:db8::/32`"

    def wanted(self) -> str:
        return "a network"


class Addresses(Kind):
    """What a traffic selector covers: a network, a host or a range."""

    def read(self, text: str, context: Context) -> AddressRange:
        start, dash, end = text.partition("-")
        if not dash:
            network = _network(text)
            return AddressRange(network.network_address, network.broadcast_address)
        first, last = _address(start.strip()), _address(end.strip())
        if first.version != last.version or int(first) > int(last):
            raise fault(MALFORMED, f'"{shortened(text)}": a range goes from a lower to a higher address of one family')
        return AddressRange(first, last)

    def values(self) -> str:
        return "a network, a host, or a range: `10.1.0.0/16`, `10.1.0.7`, `10.9.0.5-10.9.0.9`"

    def wanted(self) -> str:
        return "a network, a host or a range"


class AnyOrNetwork(Kind):
    """`any`, which is None, or a network."""

    absent = "any"

    def read(self, text: str, context: Context) -> Network | None:
        return None if text == "any" else _network(text)

    def values(self) -> str:
        return "`any` or a network"


class Peer(Kind):
    """An address, a name for DNS to resolve, or `dynamic`."""

    def read(self, text: str, context: Context) -> PeerAddress:
        if text == "dynamic":
            return DynamicPeer()
        if ":" in text or "/" in text or re.fullmatch(r"[0-9.]+", text):
            return FixedPeer(_host(text))
        if len(text) > 255 or not _HOST_NAME.fullmatch(text):
            raise fault(MALFORMED, f'"{shortened(text)}" is not an address, a host name or "dynamic"')
        if "." not in text and nearest(text, ["dynamic"]):
            raise fault(MALFORMED, f'"{shortened(text)}" is a host name without a domain', "dynamic")
        return NamedPeer(str(text))

    def values(self) -> str:
        return "an address, a host name, or `dynamic`"

    def wanted(self) -> str:
        return 'an address, a host name or "dynamic"'


class IpProtocol(Kind):
    """An IP protocol by name or number; `any` is 0."""

    def read(self, text: str, context: Context) -> int:
        if text in PROTOCOLS:
            return PROTOCOLS[text]
        if not _NUMBER.fullmatch(text):
            raise fault(UNKNOWN_VALUE, f'"{shortened(text)}" is not an IP protocol', nearest(text, PROTOCOLS))
        number = int(text)
        if not 1 <= number <= 254:
            raise fault(OUT_OF_RANGE, f"protocol {number} is not from 1 to 254", "any" if number == 0 else None)
        return number

    def values(self) -> str:
        return f"{', '.join(f'`{name}`' for name in PROTOCOLS)}, or 1 to 254"

    def wanted(self) -> str:
        return "an IP protocol"

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(PROTOCOLS)}, {"type": "integer", "minimum": 1, "maximum": 254}]}

    def write(self, value: Any) -> object:
        return next((name for name, number in PROTOCOLS.items() if number == value), value)


class Ports(Kind):
    """A port, a range of them, or `any`, which 0 means too."""

    def read(self, text: str, context: Context) -> tuple[int, int]:
        return _ports(text)

    def values(self) -> str:
        return "`any`, a port, or a range of ports: `443`, `5000-5010`"

    def wanted(self) -> str:
        return "a port, a range of ports or any"

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["string", "integer"]}

    def write(self, value: Any) -> object:
        return "any" if value == (0, MAX_PORT) else f"{value[0]}-{value[1]}"


@dataclass(frozen=True, slots=True)
class ServiceMatch:
    """A protocol and ports that a security policy names."""

    protocol: int
    ports: tuple[int, int]


class Service(Kind):
    """`any`, a protocol, or a protocol with ports."""

    def read(self, text: str, context: Context) -> ServiceMatch:
        protocol, slash, ports = text.partition("/")
        number = IpProtocol().read(protocol, context)
        if not slash:
            return ServiceMatch(number, (0, MAX_PORT))
        if number not in WITH_PORTS:
            raise fault(CONFLICT, f'"{shortened(text)}": only tcp, udp and sctp have ports')
        return ServiceMatch(number, _ports(ports))

    def values(self) -> str:
        return "`any`, a protocol, or one with ports: `icmp`, `tcp/443`, `udp/5000-5010`"

    def wanted(self) -> str:
        return "a service such as tcp/443"


def _address(text: str) -> Address:
    try:
        address = ipaddress.ip_address(str(text))
    except ValueError:
        host = text.partition("/")[0]
        raise fault(
            MALFORMED, f'"{shortened(text)}" is not an IP address', _valid(host) if "/" in text else None
        ) from None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise fault(
            MALFORMED, f'"{shortened(text)}": an address stands without its scope', str(address).partition("%")[0]
        )
    return address


def _host(text: str) -> Address:
    address = _address(text)
    if address.is_multicast or address.is_unspecified or int(address) == 0xFFFFFFFF:
        raise fault(MALFORMED, f"{address} is not the address of one host")
    return address


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(str(text), strict=False)
        given = ipaddress.ip_address(text.partition("/")[0])
    except ValueError:
        raise fault(MALFORMED, f'"{shortened(text)}" is not a network') from None
    if isinstance(given, ipaddress.IPv6Address) and given.scope_id:
        raise fault(MALFORMED, f'"{shortened(text)}": a network stands without a scope')
    if given != network.network_address:
        raise fault(MALFORMED, f"{shortened(text)} has bits set beyond its prefix length", str(network))
    return network


def _ports(text: str) -> tuple[int, int]:
    if text in ("any", "0"):
        return (0, MAX_PORT)
    start, dash, end = text.partition("-")
    last = end if dash else start
    if not _NUMBER.fullmatch(start) or not _NUMBER.fullmatch(last):
        raise fault(MALFORMED, f'"{shortened(text)}" is not a port, a range of ports or any', nearest(text, ["any"]))
    if not 1 <= int(start) <= int(last) <= MAX_PORT:
        raise fault(OUT_OF_RANGE, f"{text}: ports go from 1 to {MAX_PORT}, the lower first")
    return int(start), int(last)


def _valid(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
