"""Another gateway that the peer names in its place, and whether we go there. RFC 5685."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from isthmus.model.address import Address
from isthmus.model.quantities import Instant, Seconds
from isthmus.wire.registry import GatewayIdentityType

MAX_REDIRECTS = 5
REDIRECT_PERIOD = Seconds(300.0)
"""RFC 5685, 3 and 10: more redirects than this within this time are a loop."""

_BROADCAST = IPv4Address("255.255.255.255")
_HEAD = 2
_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})+\.?")
"""RFC 1123, 2.1, with a dot: it is looked up, so it is a full name and nothing else."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """The data of REDIRECT or REDIRECTED_FROM."""

    gateway: Address | str
    """A name where it is no address."""
    nonce: bytes = b""

    def encode(self) -> bytes:
        match self.gateway:
            case IPv4Address():
                kind, name = GatewayIdentityType.IPV4_ADDR, self.gateway.packed
            case IPv6Address():
                kind, name = GatewayIdentityType.IPV6_ADDR, self.gateway.packed
            case str():
                kind, name = GatewayIdentityType.FQDN, self.gateway.encode()
        return bytes((kind, len(name))) + name + self.nonce


def decode_redirect(data: bytes) -> Redirect | None:
    """None where it makes no sense."""
    if len(data) < _HEAD or len(data) < _HEAD + data[1]:
        return None
    name, nonce = data[_HEAD : _HEAD + data[1]], data[_HEAD + data[1] :]
    match data[0], len(name):
        case GatewayIdentityType.IPV4_ADDR, 4:
            return Redirect(IPv4Address(name), nonce)
        case GatewayIdentityType.IPV6_ADDR, 16:
            return Redirect(IPv6Address(name), nonce)
        case GatewayIdentityType.FQDN, size if size and name.isascii():
            return Redirect(name.decode("ascii"), nonce)
        case _:
            return None


@dataclass(slots=True)
class Redirects:
    """How often one peer has sent us elsewhere."""

    followed: deque[Instant] = field(default_factory=deque)

    def objection(self, gateway: Address | str, local: Address, current: Address, now: Instant) -> str | None:
        """Why we do not go there, or None: then it counts. A name counts once its address is known."""
        while self.followed and self.followed[0] <= now - REDIRECT_PERIOD:
            self.followed.popleft()
        if len(self.followed) >= MAX_REDIRECTS:
            return f"{MAX_REDIRECTS} redirects in {REDIRECT_PERIOD:g} s are a loop"
        if isinstance(gateway, str):
            return None if _NAME.fullmatch(gateway) else "no gateway has such a name"
        if gateway.version != local.version:
            return "it is of another address family"
        if gateway.is_multicast or gateway.is_unspecified or gateway.is_loopback or gateway == _BROADCAST:
            return "no gateway has such an address"
        if gateway == local:
            return "that is our own address"
        if gateway == current:
            return "that is where we are already"
        self.followed.append(now)
        return None
