"""Where datagrams come from and go to."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

IKE_PORT = 500
"""RFC 7296, 2: where IKE is spoken first."""

NAT_T_PORT = 4500
"""RFC 7296, 2.23: where IKE and UDP-encapsulated ESP share one port; IKE there follows a non-ESP marker."""


@dataclass(frozen=True, slots=True, order=False)
class Endpoint:
    """An address and a UDP port."""

    address: Address
    port: int

    def with_port(self, port: int) -> Endpoint:
        return Endpoint(self.address, port)

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Datagram:
    """One IKE message as it crossed the network, without the non-ESP marker. `local` is our end, whoever sent it."""

    local: Endpoint
    remote: Endpoint
    octets: bytes
