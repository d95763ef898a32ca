"""Who a peer claims to be. RFC 7296, 3.5; RFC 2407, 4.6.2."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from isthmus.model.registry import Open


class IdType(Open):
    """RFC 7296, 3.5: Identification Type."""

    IPV4_ADDR = 1
    FQDN = 2
    RFC822_ADDR = 3
    IPV4_ADDR_SUBNET = 4
    IPV6_ADDR = 5
    IPV6_ADDR_SUBNET = 6
    IPV4_ADDR_RANGE = 7
    IPV6_ADDR_RANGE = 8
    DER_ASN1_DN = 9
    DER_ASN1_GN = 10
    KEY_ID = 11


class Matching(StrEnum):
    EXACT = "exact"
    WILDCARD = "wildcard"


_LABELS = {
    IdType.FQDN: "fqdn",
    IdType.RFC822_ADDR: "user-fqdn",
    IdType.DER_ASN1_DN: "dn",
    IdType.KEY_ID: "key-id",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A typed name. `value` is exactly what stands on the wire."""

    type: IdType
    value: bytes

    @staticmethod
    def of_address(address: IPv4Address | IPv6Address) -> Identity:
        kind = IdType.IPV4_ADDR if address.version == 4 else IdType.IPV6_ADDR
        return Identity(kind, address.packed)

    @staticmethod
    def fqdn(name: str) -> Identity:
        return Identity(IdType.FQDN, name.encode())

    @staticmethod
    def user_fqdn(name: str) -> Identity:
        return Identity(IdType.RFC822_ADDR, name.encode())

    @staticmethod
    def key_id(octets: bytes) -> Identity:
        return Identity(IdType.KEY_ID, octets)

    def __str__(self) -> str:
        """`fqdn:hq.example`; control characters never reach a terminal or a log."""
        return (_spelt if len(self.value) <= _SHORT else _spell)(self.type, self.value)


_SHORT = 128
"""Octets of an identity whose text is kept: a stranger may claim a much longer one."""


@lru_cache(2048)
def _spelt(kind: IdType, value: bytes) -> str:
    """Every event of a peer and every look at its SAs tells it again."""
    return _spell(kind, value)


def _spell(kind: IdType, value: bytes) -> str:
    if kind in (IdType.IPV4_ADDR, IdType.IPV6_ADDR) and len(value) in (4, 16):
        return f"ip:{ipaddress.ip_address(value)}"
    label = _LABELS.get(kind)
    if kind in (IdType.FQDN, IdType.RFC822_ADDR):
        return f"{label}:{_printable(value)}"
    return f"{label or kind.name.lower()}:{value.hex()}"


def _printable(octets: bytes) -> str:
    text = octets.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
