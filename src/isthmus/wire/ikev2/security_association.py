"""Security association: proposals, transforms, attributes. RFC 7296, 3.3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from isthmus.model import algorithms
from isthmus.model.proposal import Proposal, Protocol, Transform, TransformType
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.payload import Payload
from isthmus.wire.reader import Reader
from isthmus.wire.registry import PayloadType, TransformAttribute

MAX_PROPOSALS = 32
"""More than any offer we have seen, which is about a dozen; the format allows 255, each with 255 transforms."""

MAX_TRANSFORMS = 64
"""In one proposal. A peer that offers every algorithm of the registry, key lengths included, stays below."""

MAX_ATTRIBUTES = 8
"""Of one transform. The registry holds two kinds."""

_PROPOSAL = Struct(">BxHBBBB")
_SUBSTRUCTURE = Struct(">BxH")
_TRANSFORM = Struct(">BxH")
_ATTRIBUTE = Struct(">HH")
_LAST = 0
_MORE_PROPOSALS = 2
_MORE_TRANSFORMS = 3
_TV = 0x8000
"""RFC 7296, 3.3.5: the AF bit; with it the value stands in place of the length."""
_KEY_LENGTH = _TV | TransformAttribute.KEY_LENGTH


@dataclass(frozen=True, slots=True)
class SecurityAssociation(Payload):
    """What the sender offers, or the one proposal that it chose."""

    type: ClassVar = PayloadType.SA

    proposals: tuple[Proposal, ...]

    @classmethod
    def read(cls, reader: Reader, *, critical: bool) -> Self:
        proposals: list[Proposal] = []
        more = True
        while more:
            if len(proposals) == MAX_PROPOSALS:
                raise WireError(f"more than {MAX_PROPOSALS} proposals", reader.offset, "proposals")
            proposal, more = _read_proposal(reader)
            proposals.append(proposal)
        return cls(tuple(proposals), critical=critical)

    def write(self) -> bytes:
        markers = _markers(len(self.proposals), _MORE_PROPOSALS)
        return b"".join(map(_proposal_octets, markers, self.proposals))


def _read_proposal(reader: Reader) -> tuple[Proposal, bool]:
    start = reader.offset
    marker, length, number, protocol, spi_size, count = reader.unpack(_PROPOSAL, "proposal")
    part = reader.part(length - _PROPOSAL.size, "proposal length")
    spi = part.take(spi_size, "SPI")
    if not 1 <= count <= MAX_TRANSFORMS:
        # RFC 7296, 3.3.1: one or more transform substructures.
        raise WireError(f"{count} transforms, not 1 to {MAX_TRANSFORMS}", start + 7, "number of transforms")
    transforms = tuple(_read_transforms(part, count))
    part.finish("proposal length")
    if marker not in (_LAST, _MORE_PROPOSALS):
        raise WireError(f"{marker} is neither {_LAST} nor {_MORE_PROPOSALS}", start, "last substructure")
    return Proposal(Protocol.of(protocol), transforms, spi, number), marker == _MORE_PROPOSALS


def _read_transforms(reader: Reader, count: int) -> Iterator[Transform]:
    for left in range(count - 1, -1, -1):
        start = reader.offset
        marker, length = reader.unpack(_SUBSTRUCTURE, "transform")
        octets = reader.take(length - _SUBSTRUCTURE.size, "transform length")
        if marker != (_MORE_TRANSFORMS if left else _LAST):
            raise WireError(f"{marker} with {left} transforms announced to follow", start, "last substructure")
        yield _FAMILIAR.get(octets) or _read_transform(Reader(reader.octets, start + _SUBSTRUCTURE.size, reader.offset))


def _read_transform(reader: Reader) -> Transform:
    """All that follows the length: type, ID, attributes."""
    kind, number = reader.unpack(_TRANSFORM, "transform ID")
    key_bits: int | None = None
    unknown: list[tuple[int, bytes]] = []
    while reader.remaining:
        if len(unknown) == MAX_ATTRIBUTES:
            raise WireError(f"more than {MAX_ATTRIBUTES} attributes", reader.offset, "attributes")
        name, value = reader.unpack(_ATTRIBUTE, "attribute")
        if name == _KEY_LENGTH and key_bits is None:
            key_bits = value
        elif name & _TV:
            unknown.append((name, value.to_bytes(2)))
        else:
            unknown.append((name, reader.take(value, "attribute value")))
    return Transform(TransformType.of(kind), number, key_bits, tuple(unknown))


def _proposal_octets(marker: int, proposal: Proposal) -> bytes:
    count = len(proposal.transforms)
    transforms = b"".join(map(_transform_octets, _markers(count, _MORE_TRANSFORMS), proposal.transforms))
    length = _PROPOSAL.size + len(proposal.spi) + len(transforms)
    fixed = _PROPOSAL.pack(marker, length, proposal.number, proposal.protocol, len(proposal.spi), count)
    return fixed + proposal.spi + transforms


def _transform_octets(marker: int, transform: Transform) -> bytes:
    octets = _transform_content(transform)
    return _SUBSTRUCTURE.pack(marker, _SUBSTRUCTURE.size + len(octets)) + octets


def _transform_content(transform: Transform) -> bytes:
    octets = _TRANSFORM.pack(transform.type, transform.id)
    if transform.key_bits is not None:
        octets += _ATTRIBUTE.pack(_KEY_LENGTH, transform.key_bits)
    for name, value in transform.unknown_attributes:
        octets += name.to_bytes(2) + (value if name & _TV else len(value).to_bytes(2) + value)
    return octets


def _markers(count: int, continued: int) -> list[int]:
    return [continued] * (count - 1) + [_LAST] * (count > 0)


def _familiar() -> Iterator[Transform]:
    for cipher in algorithms.ENCRYPTION:
        yield Transform(TransformType.ENCR, cipher.ikev2, cipher.key_bits)
    for prf in algorithms.PRF:
        yield Transform(TransformType.PRF, prf.ikev2)
    for integrity in (algorithms.NO_INTEGRITY, *algorithms.INTEGRITY_BY_ID):
        yield Transform(TransformType.INTEG, integrity)
    for method in (0, *algorithms.KEY_EXCHANGE_BY_ID):
        yield Transform(TransformType.KE, method)
    for esn in (0, 1):
        yield Transform(TransformType.SN, esn)


_FAMILIAR = {_transform_content(transform): transform for transform in _familiar()}
"""Every transform that we speak, by its octets. Most of what arrives is one of these, and need not be built anew."""
