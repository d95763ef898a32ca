"""Security association: proposals, transforms, attributes, exactly as they stood. RFC 2408, 3.3 to 3.6.

A responder has to return what it chose as it was offered, its attributes in their order (RFC 2409, 5): so nothing is
interpreted here. What an offer means is `offers`' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from isthmus.model.proposal import Protocol
from isthmus.wire.errors import WireError
from isthmus.wire.ikev1.payload import Payload
from isthmus.wire.ikev1.registry import DOI_IPSEC, SITUATION_IDENTITY_ONLY, PayloadType
from isthmus.wire.reader import Reader

MAX_PROPOSALS = 32
"""Of one SA. Gateways send one, or a handful."""

MAX_TRANSFORMS = 512
"""Of one SA, in all its proposals: an IKEv1 offer is a product of all that a peer has, and old ones have a lot."""

MAX_ATTRIBUTES = 24
"""Of one transform. The registries hold sixteen kinds."""

_SA = Struct(">II")
_PROPOSAL = Struct(">BxHBBBB")
_TRANSFORM = Struct(">BxHBBxx")
_ATTRIBUTE = Struct(">HH")
_BASIC = 0x8000
"""RFC 2408, 3.3: the AF bit; with it the value stands in place of the length."""
_LARGEST_SPI = 16


@dataclass(frozen=True, slots=True)
class Attribute:
    """One data attribute. `basic` ones have two octets of value."""

    kind: int
    value: bytes
    basic: bool

    @classmethod
    def of(cls, kind: int, number: int) -> Self:
        """A number in its shortest form."""
        if number < 1 << 16:
            return cls(kind, number.to_bytes(2, "big"), basic=True)
        return cls(kind, number.to_bytes(max(4, (number.bit_length() + 7) // 8), "big"), basic=False)

    @property
    def number(self) -> int:
        return int.from_bytes(self.value, "big")


@dataclass(frozen=True, slots=True)
class TransformV1:
    """One alternative within a proposal: an identifier, and everything else as attributes."""

    number: int
    id: int
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class ProposalV1:
    """One protocol and its alternatives. Proposals of one number belong together: all of them, or none."""

    number: int
    protocol: Protocol
    spi: bytes
    transforms: tuple[TransformV1, ...]


@dataclass(frozen=True, slots=True)
class SecurityAssociation(Payload):
    type: ClassVar = PayloadType.SA

    proposals: tuple[ProposalV1, ...]
    doi: int = DOI_IPSEC
    situation: int = SITUATION_IDENTITY_ONLY

    @classmethod
    def read(cls, reader: Reader) -> Self:
        start = reader.offset
        doi, situation = reader.unpack(_SA, "situation")
        if doi != DOI_IPSEC:
            raise WireError(f"DOI {doi}", start, "DOI")
        if situation != SITUATION_IDENTITY_ONLY:
            # RFC 2407, 4.2: the others carry security labels, which have no length that we could skip.
            raise WireError(f"situation {situation}", start + 4, "situation")
        return cls(tuple(_read_proposals(reader)), doi, situation)

    def write(self) -> bytes:
        following = [PayloadType.PROPOSAL] * (len(self.proposals) - 1) + [PayloadType.NONE]
        return _SA.pack(self.doi, self.situation) + b"".join(map(_proposal_octets, following, self.proposals))


def read_attributes(octets: bytes) -> tuple[Attribute, ...]:
    """Attributes that stand alone: the data of RESPONDER-LIFETIME (RFC 2407, 4.6.3.1)."""
    return tuple(_read_attributes(Reader(octets)))


def write_attributes(attributes: Iterable[Attribute]) -> bytes:
    return b"".join(map(_attribute_octets, attributes))


def _read_proposals(reader: Reader) -> Iterator[ProposalV1]:
    transforms = 0
    for _ in range(MAX_PROPOSALS):
        start = reader.offset
        following, length, number, protocol, spi_size, count = reader.unpack(_PROPOSAL, "proposal")
        part = reader.part(length - _PROPOSAL.size, "proposal length")
        if spi_size > _LARGEST_SPI:
            raise WireError(f"SPI of {spi_size} octets", start + 6, "SPI size")
        spi = part.take(spi_size, "SPI")
        transforms += count
        if not count or transforms > MAX_TRANSFORMS:
            raise WireError(f"{transforms} transforms, not 1 to {MAX_TRANSFORMS}", start + 7, "number of transforms")
        yield ProposalV1(number, Protocol.of(protocol), spi, tuple(_read_transforms(part, count)))
        part.finish("proposal length")
        if following == PayloadType.NONE:
            return
        if following != PayloadType.PROPOSAL:
            raise WireError(f"{following} is neither 0 nor {PayloadType.PROPOSAL}", start, "next payload")
    raise WireError(f"more than {MAX_PROPOSALS} proposals", reader.offset, "proposals")


def _read_transforms(reader: Reader, count: int) -> Iterator[TransformV1]:
    for left in range(count - 1, -1, -1):
        start = reader.offset
        following, length, number, identifier = reader.unpack(_TRANSFORM, "transform")
        part = reader.part(length - _TRANSFORM.size, "transform length")
        if following != (PayloadType.TRANSFORM if left else PayloadType.NONE):
            raise WireError(f"{following} with {left} transforms announced to follow", start, "next payload")
        yield TransformV1(number, identifier, tuple(_read_attributes(part)))


def _read_attributes(reader: Reader) -> Iterator[Attribute]:
    for _ in range(MAX_ATTRIBUTES):
        if not reader.remaining:
            return
        kind, value = reader.unpack(_ATTRIBUTE, "attribute")
        if kind & _BASIC:
            yield Attribute(kind & ~_BASIC, value.to_bytes(2, "big"), basic=True)
        else:
            yield Attribute(kind, reader.take(value, "attribute value"), basic=False)
    if reader.remaining:
        raise WireError(f"more than {MAX_ATTRIBUTES} attributes", reader.offset, "attributes")


def _proposal_octets(following: int, proposal: ProposalV1) -> bytes:
    count = len(proposal.transforms)
    markers = [PayloadType.TRANSFORM] * (count - 1) + [PayloadType.NONE] * (count > 0)
    transforms = b"".join(map(_transform_octets, markers, proposal.transforms))
    length = _PROPOSAL.size + len(proposal.spi) + len(transforms)
    fixed = _PROPOSAL.pack(following, length, proposal.number, proposal.protocol, len(proposal.spi), count)
    return fixed + proposal.spi + transforms


def _transform_octets(following: int, transform: TransformV1) -> bytes:
    attributes = write_attributes(transform.attributes)
    return _TRANSFORM.pack(following, _TRANSFORM.size + len(attributes), transform.number, transform.id) + attributes


def _attribute_octets(attribute: Attribute) -> bytes:
    if attribute.basic:
        return _ATTRIBUTE.pack(attribute.kind | _BASIC, attribute.number)
    return _ATTRIBUTE.pack(attribute.kind, len(attribute.value)) + attribute.value
