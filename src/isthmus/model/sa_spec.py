"""What a data plane is asked for: one IPsec SA, one policy, one update. Plain values; every call is idempotent."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from isthmus.model.address import Endpoint
from isthmus.model.algorithms import Encryption, Integrity
from isthmus.model.plan import Mode
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import InboundSpi, OutboundSpi
from isthmus.model.secret import Secret
from isthmus.model.selectors import TrafficSelector


class Direction(StrEnum):
    INBOUND = "in"
    OUTBOUND = "out"


@dataclass(frozen=True, slots=True)
class SaId:
    """Names one IPsec SA. Inbound SPIs are unique in the gateway; outbound ones only with the peer's address."""

    direction: Direction
    spi: int
    remote: str
    """The peer's address, as text."""
    protocol: Protocol = Protocol.ESP

    def __str__(self) -> str:
        return f"{self.direction} 0x{self.spi:08x}"


@dataclass(frozen=True, slots=True)
class TrafficKeys:
    """The keys of one IPsec SA; an AEAD's salt stands at the end of `encryption`. What is not needed is empty."""

    encryption: Secret
    integrity: Secret


@dataclass(frozen=True, slots=True)
class SaLimits:
    """Octets and packets after which a notice is due. Time is the engine's own business."""

    soft_octets: int | None = None
    hard_octets: int | None = None
    soft_packets: int | None = None
    hard_packets: int | None = None


@dataclass(frozen=True, slots=True)
class SaSpec:
    """One direction of a Child SA, ready to be installed."""

    direction: Direction
    spi: InboundSpi | OutboundSpi
    child: str
    """The configured child that it serves: `branch:lan`."""
    interface: str
    """The tunnel interface that its packets leave from or arrive at."""
    local: Endpoint
    remote: Endpoint
    """Outer addresses; the ports count only with `udp`."""
    udp: bool
    """UDP-encapsulated (RFC 3948)."""
    local_selectors: tuple[TrafficSelector, ...]
    remote_selectors: tuple[TrafficSelector, ...]
    encryption: Encryption | None
    encryption_key: Secret
    """Key, then salt where the cipher has one."""
    integrity: Integrity | None
    integrity_key: Secret
    esn: bool = False
    replay_window: int = 1024
    """Packets; 0: no anti-replay (outbound SAs ignore it)."""
    limits: SaLimits = field(default_factory=SaLimits)
    protocol: Protocol = Protocol.ESP
    mode: Mode = Mode.TUNNEL
    copy_tos: bool = False

    @property
    def id(self) -> SaId:
        return SaId(self.direction, self.spi, str(self.remote.address), self.protocol)


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """Which packets of a tunnel interface a configured child protects. First match in `order` wins.

    A packet that matches a policy without a matching outbound SA is dropped, and said as an `Acquire` notice;
    one that matches none is dropped with `no-policy`. Nothing ever leaves in the clear.
    """

    child: str
    interface: str
    order: int
    local_selectors: tuple[TrafficSelector, ...]
    remote_selectors: tuple[TrafficSelector, ...]


@dataclass(frozen=True, slots=True)
class InstallSa:
    """Adds an SA. Of several outbound SAs of one child, the one installed last carries the traffic that it admits."""

    spec: SaSpec


@dataclass(frozen=True, slots=True)
class UpdateSa:
    """Moves an SA to new outer endpoints (NAT mapping change, MOBIKE); keys and counters stay."""

    id: SaId
    local: Endpoint
    remote: Endpoint
    udp: bool


@dataclass(frozen=True, slots=True)
class RemoveSa:
    """Removes an SA and wipes its keys. One that is not there is no error."""

    id: SaId


@dataclass(frozen=True, slots=True)
class InstallPolicy:
    spec: PolicySpec


@dataclass(frozen=True, slots=True)
class RemovePolicy:
    child: str


DataPlaneOp: TypeAlias = InstallSa | UpdateSa | RemoveSa | InstallPolicy | RemovePolicy


@dataclass(frozen=True, slots=True)
class SaCounters:
    """What one SA has seen. Octets are those of the inner packets."""

    packets: int = 0
    octets: int = 0
    replayed: int = 0
    integrity_failed: int = 0
    dropped: int = 0
    """All other reasons together; the plane's own table tells them apart."""
    sequence: int = 0
    """Outbound: last sent; inbound: highest authenticated."""
