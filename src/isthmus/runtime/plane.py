"""What the process needs of a data plane beyond SAs: interfaces, and the port that it shares with IKE."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from isthmus.dataplane.backend import DataPlane
from isthmus.model.address import Address, Datagram, Endpoint


class Plane(DataPlane, Protocol):
    """`dataplane.userspace.UserspacePlane` fits it; tests fit fakes."""

    def add_interface(self, name: str) -> None: ...

    def remove_interface(self, name: str) -> None: ...

    def listen(self, address: Address, device: str | None = None) -> None:
        """Receives ESP and AH, and UDP on the NAT-T port, at one of our addresses; by one interface, or by all."""
        ...

    def unlisten(self, address: Address) -> None: ...

    def fileno(self) -> int:
        """Readable while there are notices or IKE datagrams to collect."""
        ...

    def ike_datagrams(self) -> Iterable[Datagram]:
        """IKE messages that came to the NAT-T port since the last call, without their marker."""
        ...

    def send_ike(self, local: Endpoint, remote: Endpoint, octets: bytes) -> None: ...

    def send_keep_alive(self, local: Endpoint, remote: Endpoint) -> None: ...
