"""Whole messages, and chains of payloads. RFC 7296, 3.1 and 3.2."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.encrypted import MAX_FRAGMENTS, Encrypted, EncryptedFragment
from isthmus.wire.ikev2.header import HEADER_SIZE, Header, decode_header, require_version, write_header
from isthmus.wire.ikev2.payload import Payload, UnknownPayload
from isthmus.wire.ikev2.payloads import READABLE
from isthmus.wire.reader import Reader
from isthmus.wire.registry import PayloadType

MAX_PAYLOADS = 64
"""In one chain. The longest real ones have a certificate chain and a notify for each extension: some thirty."""

_GENERIC = struct.Struct(">BBH")
_FRAGMENT = struct.Struct(">HH")
_CRITICAL = 0x80
_MAX_PAYLOAD = 0xFFFF
_NONE = int(PayloadType.NONE)
_READERS = {int(payload.type): payload.read for payload in READABLE}
_SEALED: dict[int, type[Encrypted | EncryptedFragment]] = {
    PayloadType.SK: Encrypted,
    PayloadType.SKF: EncryptedFragment,
}


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received: parsed, and beside that its very octets, which AUTH and the ICV are over."""

    header: Header
    payloads: tuple[Payload, ...]
    octets: bytes


def decode(octets: bytes) -> Message:
    """Read a datagram: header and outer payloads. An SK or SKF payload ends it and stays sealed."""
    header = decode_header(octets)
    require_version(header)
    return Message(header, _read_chain(header.next_payload, octets, HEADER_SIZE), octets)


def decode_payloads(first: PayloadType, octets: bytes) -> tuple[Payload, ...]:
    """Read what an SK payload held, padding removed. Offsets in errors count from its beginning."""
    payloads = _read_chain(first, octets, 0)
    if payloads and payloads[-1].type in _SEALED:
        raise WireError("an encrypted payload inside another", 0, payloads[-1].type.name)
    return payloads


def encode(header: Header, payloads: Sequence[Payload]) -> bytes:
    """Write a message; `next_payload` and `length` follow from the payloads. ValueError if a value has no room."""
    first, chain = encode_payloads(payloads)
    return write_header(header, first, HEADER_SIZE + len(chain)) + chain


def encode_payloads(payloads: Sequence[Payload]) -> tuple[PayloadType, bytes]:
    """Write a chain, and tell the type of its first payload."""
    parts: list[bytes] = []
    following = _following(payloads)
    for payload, next_type in zip(payloads, following[1:], strict=True):
        try:
            body = payload.write()
            flags = _CRITICAL if payload.critical else 0
            parts += (_GENERIC.pack(next_type, flags, _GENERIC.size + len(body)), body)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"{payload.type.name}: {error}") from error
    return following[0], b"".join(parts)


def sealed_prefix(header: Header, first: PayloadType, body_size: int, fragment: tuple[int, int] | None = None) -> bytes:
    """Everything before the IV of a message that is one SK payload, or with `fragment` (number, total) one SKF payload.

    It is the associated data; the caller appends the body.
    """
    if fragment is None:
        outer, numbers = PayloadType.SK, b""
    else:
        number, total = fragment
        if not 1 <= number <= total <= MAX_FRAGMENTS:
            raise ValueError(f"fragment {number} of {total}")
        outer, numbers = PayloadType.SKF, _FRAGMENT.pack(number, total)
        # RFC 7383, 2.5: only the first fragment tells the type of the first payload.
        first = first if number == 1 else PayloadType.NONE
    size = _GENERIC.size + len(numbers) + body_size
    if size > _MAX_PAYLOAD:
        raise ValueError(f"{outer.name} of {size} octets")
    return write_header(header, outer, HEADER_SIZE + size) + _GENERIC.pack(first, 0, size) + numbers


def _read_chain(first: int, octets: bytes, offset: int) -> tuple[Payload, ...]:
    payloads: list[Payload] = []
    end = len(octets)
    kind = int(first)
    while kind != _NONE:
        if len(payloads) == MAX_PAYLOADS:
            raise WireError(f"more than {MAX_PAYLOADS} payloads", offset, "next payload")
        if end - offset < _GENERIC.size:
            raise WireError(f"need {_GENERIC.size} octets, have {end - offset}", offset, f"{_name(kind)} header")
        following, flags, length = _GENERIC.unpack_from(octets, offset)
        stop = offset + length
        if length < _GENERIC.size or stop > end:
            raise WireError(f"{length} octets, not 4 to {end - offset}", offset + 2, f"{_name(kind)}.length")
        reader = Reader(octets, offset + _GENERIC.size, stop)
        try:
            if kind in _READERS:
                payloads.append(_READERS[kind](reader, critical=flags & _CRITICAL != 0))
                reader.finish("body")
            elif kind in _SEALED:
                first_inside = PayloadType.of(following)
                payloads.append(_SEALED[kind].read_last(reader, first_inside, critical=flags & _CRITICAL != 0))
                following = _NONE
            else:
                payloads.append(UnknownPayload(PayloadType.of(kind), reader.rest(), critical=flags & _CRITICAL != 0))
        except WireError as error:
            raise error.within(_name(kind)) from None
        kind, offset = following, stop
    if offset != end:
        raise WireError(f"{end - offset} octets after the last payload", offset, "message")
    return tuple(payloads)


def _following(payloads: Sequence[Payload]) -> list[PayloadType]:
    """The types of the chain, and what stands after its end: for SK and SKF the first payload inside."""
    types = [payload.type for payload in payloads]
    for payload in payloads[:-1]:
        if payload.type in _SEALED:
            raise ValueError(f"{payload.type.name} is not the last payload")
    match payloads[-1] if payloads else None:
        case Encrypted(first=first) | EncryptedFragment(first=first):
            return [*types, first]
        case _:
            return [*types, PayloadType.NONE]


def _name(kind: int) -> str:
    return PayloadType.of(kind).name
