"""Proposals as both IKE versions mean them, and the suite that comes out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from isthmus.model import algorithms
from isthmus.model.algorithms import Encryption, Integrity, KeyExchangeMethod, Prf
from isthmus.model.registry import Open


class Protocol(Open):
    """RFC 7296, 3.3.1: Security Protocol Identifiers."""

    NONE = 0
    IKE = 1
    AH = 2
    ESP = 3


class TransformType(Open):
    """RFC 7296, 3.3.2; RFC 9370 for the additional key exchanges."""

    ENCR = 1
    PRF = 2
    INTEG = 3
    KE = 4
    SN = 5
    ADDKE1 = 6
    ADDKE2 = 7
    ADDKE3 = 8
    ADDKE4 = 9
    ADDKE5 = 10
    ADDKE6 = 11
    ADDKE7 = 12


@dataclass(frozen=True, slots=True)
class Transform:
    """One algorithm within a proposal. Attributes other than Key Length are kept as (type, value) and never match."""

    type: TransformType
    id: int
    key_bits: int | None = None
    unknown_attributes: tuple[tuple[int, bytes], ...] = ()

    def __str__(self) -> str:
        return transform_name(self)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One alternative: a protocol, the sender's SPI, and for each transform type the algorithms it may be."""

    protocol: Protocol
    transforms: tuple[Transform, ...]
    spi: bytes = b""
    number: int = 1

    def of(self, kind: TransformType) -> tuple[Transform, ...]:
        """The transforms of one type, in the sender's order of preference."""
        return tuple(t for t in self.transforms if t.type == kind)

    @property
    def types(self) -> tuple[TransformType, ...]:
        """The transform types that occur, each once, in order of first appearance."""
        return tuple(dict.fromkeys(t.type for t in self.transforms))

    def numbered(self, number: int, spi: bytes) -> Proposal:
        """The same alternative, as it stands in an SA payload."""
        return replace(self, number=number, spi=spi)

    def __str__(self) -> str:
        return "/".join(",".join(transform_name(t) for t in self.of(kind)) for kind in self.types)


def transform_name(transform: Transform) -> str:
    """The algorithm as the configuration spells it; numbers where we have no name."""
    row: Encryption | Integrity | Prf | KeyExchangeMethod | None = None
    match transform.type:
        case TransformType.ENCR:
            row = algorithms.encryption_by_id(transform.id, transform.key_bits)
        case TransformType.PRF:
            row = algorithms.PRF_BY_ID.get(transform.id)
            return f"prf-{row.name}" if row else f"prf-{transform.id}"
        case TransformType.INTEG:
            if transform.id == algorithms.NO_INTEGRITY:
                return "none"
            row = algorithms.INTEGRITY_BY_ID.get(transform.id)
        case TransformType.SN:
            return {0: "no-esn", 1: "esn"}.get(transform.id, f"sn-{transform.id}")
        case _:
            if transform.id == 0:
                return "none"
            row = algorithms.KEY_EXCHANGE_BY_ID.get(transform.id)
    if row is not None:
        return row.name
    length = f"-{transform.key_bits}" if transform.key_bits is not None else ""
    return f"{transform.type.name.lower()}-{transform.id}{length}"


@dataclass(frozen=True, slots=True)
class Suite:
    """The single set of algorithms that was chosen, resolved to their rows.

    `integrity` is None for an AEAD or for ESP without authentication; `prf` is None for a Child SA;
    `ke` is None where no fresh key exchange takes place. `additional` are RFC 9370's, in their order.
    """

    protocol: Protocol
    encryption: Encryption | None
    integrity: Integrity | None
    prf: Prf | None
    ke: KeyExchangeMethod | None
    esn: bool = False
    additional: tuple[tuple[TransformType, KeyExchangeMethod], ...] = ()

    @property
    def unauthenticated(self) -> bool:
        """ESP that anybody can alter."""
        return self.encryption is not None and not self.encryption.aead and self.integrity is None

    def __str__(self) -> str:
        parts = [self.encryption, self.integrity, self.prf, self.ke, *(row for _, row in self.additional)]
        return "/".join(part.name for part in parts if part is not None)
