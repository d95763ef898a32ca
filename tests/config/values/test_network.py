"""Addresses, networks, peers, protocols and ports."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface, ip_network

import pytest
from pydantic_core import PydanticCustomError

from isthmus.config.values.kind import Context, Kind
from isthmus.config.values.network import (
    Addresses,
    AddressRange,
    AnyOrNetwork,
    HostAddress,
    IpProtocol,
    Peer,
    Ports,
    Prefix,
    PrefixedAddress,
    Service,
    ServiceMatch,
)
from isthmus.model.plan import DynamicPeer, FixedPeer, NamedPeer


def _refused(kind: Kind, text: str) -> tuple[str, str | None]:
    with pytest.raises(PydanticCustomError) as caught:
        kind.read_any(text, Context())
    context = caught.value.context or {}
    return context["code"], context["suggestion"]


def _range(start: str, end: str) -> AddressRange:
    return AddressRange(ip_address(start), ip_address(end))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (HostAddress(), "192.0.2.1", ip_address("192.0.2.1")),
        (HostAddress(), "2001:DB8::1", ip_address("2001:db8::1")),
        (PrefixedAddress(), "10.255.0.1/30", ip_interface("10.255.0.1/30")),
        (PrefixedAddress(), "2001:db8::1/64", ip_interface("2001:db8::1/64")),
        (Prefix(), "0.0.0.0/0", ip_network("0.0.0.0/0")),
        (Prefix(), "192.0.2.7", ip_network("192.0.2.7/32")),
        (AnyOrNetwork(), "any", None),
        (AnyOrNetwork(), "10.0.0.0/8", ip_network("10.0.0.0/8")),
        (Addresses(), "10.1.0.0/16", _range("10.1.0.0", "10.1.255.255")),
        (Addresses(), "10.1.0.7", _range("10.1.0.7", "10.1.0.7")),
        (Addresses(), "10.9.0.5-10.9.0.9", _range("10.9.0.5", "10.9.0.9")),
        (Addresses(), "2001:db8::1 - 2001:db8::2", _range("2001:db8::1", "2001:db8::2")),
        (Addresses(), "::/0", _range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
        (Peer(), "dynamic", DynamicPeer()),
        (Peer(), "198.51.100.2", FixedPeer(ip_address("198.51.100.2"))),
        (Peer(), "2001:db8::2", FixedPeer(ip_address("2001:db8::2"))),
        (Peer(), "gw.branch.example", NamedPeer("gw.branch.example")),
        (Peer(), "branch", NamedPeer("branch")),
        (IpProtocol(), "any", 0),
        (IpProtocol(), "tcp", 6),
        (IpProtocol(), "47", 47),
        (Ports(), "any", (0, 65535)),
        (Ports(), "0", (0, 65535)),
        (Ports(), "443", (443, 443)),
        (Ports(), "5000-5010", (5000, 5010)),
        (Service(), "tcp/443", ServiceMatch(6, (443, 443))),
        (Service(), "icmp", ServiceMatch(1, (0, 65535))),
        (Service(), "any", ServiceMatch(0, (0, 65535))),
    ],
)
def test_what_is_read(kind: Kind, text: str, value: object) -> None:
    assert kind.read_any(text, Context()) == value


@pytest.mark.parametrize(
    ("kind", "text", "code", "suggestion"),
    [
        (HostAddress(), "192.0.2.300", "MALFORMED", None),
        (HostAddress(), "192.0.02.1", "MALFORMED", None),
        (HostAddress(), "203.0.113.10/24", "MALFORMED", "203.0.113.10"),
        (HostAddress(), "0.0.0.0", "MALFORMED", None),
        (HostAddress(), "224.0.0.1", "MALFORMED", None),
        (HostAddress(), "255.255.255.255", "MALFORMED", None),
        (HostAddress(), "fe80::1%eth0", "MALFORMED", "fe80::1"),
        (PrefixedAddress(), "10.255.0.1", "MALFORMED", "10.255.0.1/32"),
        (PrefixedAddress(), "10.255.0.1/33", "MALFORMED", None),
        (Prefix(), "10.2.0.1/16", "MALFORMED", "10.2.0.0/16"),
        (Prefix(), "10.2/16", "MALFORMED", None),
        (Prefix(), "fe80::%1/64", "MALFORMED", None),
        (Addresses(), "10.1.0.9-10.1.0.5", "MALFORMED", None),
        (Addresses(), "10.1.0.9-::1", "MALFORMED", None),
        (Addresses(), "any", "MALFORMED", None),
        (Peer(), "198.51.100.2/32", "MALFORMED", "198.51.100.2"),
        (Peer(), "1.2.3", "MALFORMED", None),
        (Peer(), "Dynamic", "MALFORMED", "dynamic"),
        (Peer(), "-gw.example", "MALFORMED", None),
        (Peer(), "a" * 64 + ".example", "MALFORMED", None),
        (Peer(), "gw..example", "MALFORMED", None),
        (IpProtocol(), "udpp", "UNKNOWN-VALUE", "udp"),
        (IpProtocol(), "0", "OUT-OF-RANGE", "any"),
        (IpProtocol(), "255", "OUT-OF-RANGE", None),
        (Ports(), "http", "MALFORMED", None),
        (Ports(), "10-5", "OUT-OF-RANGE", None),
        (Ports(), "0-5", "OUT-OF-RANGE", None),
        (Ports(), "99999", "OUT-OF-RANGE", None),
        (Ports(), "5-", "MALFORMED", None),
        (Service(), "icmp/8", "CONFLICT", None),
        (Service(), "any/443", "CONFLICT", None),
        (Service(), "tcp/", "MALFORMED", None),
        (Service(), "tpc/443", "UNKNOWN-VALUE", "tcp"),
    ],
)
def test_what_is_refused(kind: Kind, text: str, code: str, suggestion: str | None) -> None:
    assert _refused(kind, text) == (code, suggestion)
