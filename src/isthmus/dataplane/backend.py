"""What a data plane must offer. Three stand behind it: memory (simulation), userspace (Rust), xfrm (native Linux)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from isthmus.model.address import Address, Endpoint
from isthmus.model.quantities import InboundSpi
from isthmus.model.sa_spec import DataPlaneOp, SaCounters, SaId


class DataPlaneRefusal(Exception):
    """The data plane cannot do what was asked. `why` is for the operator; nothing was changed."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Acquire:
    """A packet matched a policy that has no SA for it. It was dropped; said at most once a second for each child."""

    child: str
    source: Address
    destination: Address
    protocol: int
    source_port: int
    destination_port: int


@dataclass(frozen=True, slots=True)
class SoftExpired:
    """An SA passed its soft limit of octets or packets: time to rekey. Said once."""

    sa: SaId


@dataclass(frozen=True, slots=True)
class HardExpired:
    """An SA passed its hard limit; it carries nothing any more. Said once."""

    sa: SaId


@dataclass(frozen=True, slots=True)
class FirstInbound:
    """An inbound SA authenticated its first packet: the peer uses it."""

    sa: SaId


@dataclass(frozen=True, slots=True)
class PeerMoved:
    """An authenticated packet, newer than any before it, came from another address or port."""

    sa: SaId
    remote: Endpoint


Notice: TypeAlias = Acquire | SoftExpired | HardExpired | FirstInbound | PeerMoved


class DataPlane(Protocol):
    """All operations are idempotent and take effect before `apply` returns."""

    def apply(self, op: DataPlaneOp) -> None:
        """Does it, or raises `DataPlaneRefusal` and has done nothing."""
        ...

    def counters(self, sa: SaId) -> SaCounters:
        """What the SA has seen so far; all zero for one that is not installed."""
        ...

    def notices(self) -> Iterable[Notice]:
        """What happened since the last call, oldest first."""
        ...

    def heard(self) -> Iterable[InboundSpi]:
        """Inbound SAs that authenticated at least one packet since the last call: proof that the peer lives."""
        ...

    def drops(self) -> dict[str, int]:
        """Packets dropped so far, by drop code: `unknown-spi`, `replayed`, `no-policy` ..."""
        ...

    def close(self) -> None:
        """Removes everything that was installed and wipes the keys."""
        ...
