"""The packet core, in Rust (`rust/esp-py`). Plain values; `isthmus.dataplane.userspace` gives them their types."""

from ipaddress import IPv4Address, IPv6Address
from typing import Literal, TypeAlias, final

_Address: TypeAlias = IPv4Address | IPv6Address
_Endpoint: TypeAlias = tuple[_Address, int]
_Range: TypeAlias = tuple[_Address, _Address, int, int, int]
"""First and last address, protocol (0: any), first and last port."""
_SaId: TypeAlias = tuple[str, str, int, _Address]
"""`in` or `out`, `esp` or `ah`, SPI, the peer's address."""
_Limits: TypeAlias = tuple[int | None, int | None, int | None, int | None]
"""Soft and hard octets, soft and hard packets."""
_Notice: TypeAlias = (
    tuple[Literal["acquire"], str, _Address, _Address, int, int, int]
    | tuple[Literal["soft-expired"], _SaId]
    | tuple[Literal["hard-expired"], _SaId]
    | tuple[Literal["first-inbound"], _SaId]
    | tuple[Literal["peer-moved"], _SaId, _Endpoint]
)

DROPS: dict[str, str]
"""Every drop code, and what it means."""

class Refused(Exception):
    """What was asked cannot be done; the argument says why."""

class Dropped(Exception):
    """A packet was dropped; the argument is the code."""

@final
class Plane:
    """TUN devices, sockets, SAs, and the threads between them. Needs CAP_NET_ADMIN and CAP_NET_RAW to be of use."""

    def __new__(cls, port: int, *, lanes: int = 1, offload: bool = True) -> Plane: ...
    def install(
        self,
        *,
        direction: str,
        spi: int,
        child: str,
        interface: str,
        local: _Endpoint,
        remote: _Endpoint,
        udp: bool,
        local_selectors: list[_Range],
        remote_selectors: list[_Range],
        mode: str,
        encryption: str | None,
        encryption_key: bytes,
        integrity: str | None,
        integrity_key: bytes,
        esn: bool,
        window: int,
        copy_dscp: bool,
        limits: _Limits,
    ) -> None: ...
    def update(self, sa: _SaId, local: _Endpoint, remote: _Endpoint, udp: bool) -> None: ...
    def remove(self, sa: _SaId) -> None: ...
    def install_policy(
        self,
        child: str,
        interface: str,
        order: int,
        local_selectors: list[_Range],
        remote_selectors: list[_Range],
    ) -> None: ...
    def remove_policy(self, child: str) -> None: ...
    def counters(self, sa: _SaId) -> tuple[int, int, int, int, int, int] | None: ...
    def notices(self) -> list[_Notice]: ...
    def heard(self) -> list[int]: ...
    def drops(self) -> dict[str, int]: ...
    @property
    def keep_alives(self) -> int: ...
    def fileno(self) -> int: ...
    def ike_datagrams(self) -> list[tuple[_Endpoint, _Endpoint, bytes]]: ...
    def add_interface(self, name: str) -> None: ...
    def remove_interface(self, name: str) -> None: ...
    def listen(self, address: _Address, device: str | None = None) -> None: ...
    def unlisten(self, address: _Address) -> None: ...
    def send_ike(self, local: _Endpoint, remote: _Endpoint, message: bytes) -> None: ...
    def send_keep_alive(self, local: _Endpoint, remote: _Endpoint) -> None: ...
    def close(self) -> None: ...

@final
class EspSa:
    """One suite and its keys, both directions under one SPI: seals and opens packets that are handed to it.

    Without a cipher it is AH. AH, and ESP in transport mode, are packets with their IP header.
    """

    def __new__(
        cls,
        *,
        spi: int,
        encryption: str | None = None,
        encryption_key: bytes = b"",
        integrity: str | None = None,
        integrity_key: bytes = b"",
        mode: str = "tunnel",
        between: tuple[_Address, _Address] | None = None,
        esn: bool = False,
        window: int = 64,
        copy_dscp: bool = False,
        seed: bytes = ...,
    ) -> EspSa: ...
    def encapsulate(self, packet: bytes) -> tuple[bytes, int]: ...
    def decapsulate(self, packet: bytes, *, headers: int = 0, tos: int = 0) -> bytes | None: ...
    def resume_after(self, sequence: int) -> None: ...
