"""Whole messages, and chains of payloads whose places are kept: hashes are over what was received. RFC 2408, 3.1."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.wire.errors import WireError
from isthmus.wire.ikev1.header import HEADER_SIZE, Header, decode_header, write_header
from isthmus.wire.ikev1.payload import Payload, UnknownPayload
from isthmus.wire.ikev1.payloads import READABLE
from isthmus.wire.ikev1.registry import PayloadType
from isthmus.wire.reader import Reader

MAX_PAYLOADS = 64
"""In one chain. First messages of real peers have a dozen vendor IDs."""

_GENERIC = struct.Struct(">BBH")
_NONE = int(PayloadType.NONE)
_READERS = {int(payload.type): payload.read for payload in READABLE}


@dataclass(frozen=True, slots=True)
class Chain:
    """Payloads, the octets that they were read from, and where each stands in them, generic header included."""

    payloads: tuple[Payload, ...]
    octets: bytes
    spans: tuple[tuple[int, int], ...]

    def body(self, kind: PayloadType) -> bytes:
        """The octets of the first payload of a kind, after its generic header; empty if there is none."""
        for payload, (start, stop) in zip(self.payloads, self.spans, strict=True):
            if payload.type == kind:
                return self.octets[start + _GENERIC.size : stop]
        return b""

    @property
    def after_first(self) -> bytes:
        """Everything behind the first payload, without the padding (RFC 2409, 5.5: what HASH(1) is over)."""
        return self.octets[self.spans[0][1] : self.spans[-1][1]] if self.spans else b""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received. The chain of an encrypted one is empty: its octets stand after the header."""

    header: Header
    chain: Chain
    octets: bytes

    @property
    def body(self) -> bytes:
        return self.octets[HEADER_SIZE:]


def decode(octets: bytes) -> Message:
    """Read a datagram: its header, and its payloads unless they are encrypted."""
    header = decode_header(octets)
    if header.encrypted:
        return Message(header, Chain((), b"", ()), octets)
    chain = _read_chain(header.next_payload, octets, HEADER_SIZE)
    end = chain.spans[-1][1] if chain.spans else HEADER_SIZE
    if end != len(octets):
        raise WireError(f"{len(octets) - end} octets after the last payload", end, "message")
    return Message(header, chain, octets)


def decode_payloads(first: PayloadType, octets: bytes) -> Chain:
    """Read what was decrypted; behind the last payload padding may follow, of any value (RFC 2409, appendix B)."""
    return _read_chain(first, octets, 0)


def encode(header: Header, payloads: Sequence[Payload]) -> bytes:
    """Write an unencrypted message."""
    first, chain = encode_payloads(payloads)
    return write_header(header, first, HEADER_SIZE + len(chain)) + chain


def encode_payloads(payloads: Sequence[Payload]) -> tuple[PayloadType, bytes]:
    """Write a chain, and tell the type of its first payload."""
    types = [*(payload.type for payload in payloads), PayloadType.NONE]
    parts: list[bytes] = []
    for payload, following in zip(payloads, types[1:], strict=True):
        try:
            body = payload.write()
            parts += (_GENERIC.pack(following, 0, _GENERIC.size + len(body)), body)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"{payload.type.name}: {error}") from error
    return types[0], b"".join(parts)


def _read_chain(first: int, octets: bytes, offset: int) -> Chain:
    payloads: list[Payload] = []
    spans: list[tuple[int, int]] = []
    end = len(octets)
    kind = int(first)
    while kind != _NONE:
        if len(payloads) == MAX_PAYLOADS:
            raise WireError(f"more than {MAX_PAYLOADS} payloads", offset, "next payload")
        if end - offset < _GENERIC.size:
            raise WireError(f"need {_GENERIC.size} octets, have {end - offset}", offset, f"{_name(kind)} header")
        following, reserved, length = _GENERIC.unpack_from(octets, offset)
        stop = offset + length
        if reserved:
            # RFC 2408, 3.2: RESERVED is zero. What was decrypted with a wrong key seldom is.
            raise WireError(f"{reserved} is not zero", offset + 1, f"{_name(kind)}.RESERVED")
        if length < _GENERIC.size or stop > end:
            raise WireError(f"{length} octets, not 4 to {end - offset}", offset + 2, f"{_name(kind)}.length")
        reader = Reader(octets, offset + _GENERIC.size, stop)
        try:
            if kind in _READERS:
                payloads.append(_READERS[kind](reader))
                reader.finish("body")
            else:
                payloads.append(UnknownPayload(PayloadType.of(kind), reader.rest()))
        except WireError as error:
            raise error.within(_name(kind)) from None
        spans.append((offset, stop))
        kind, offset = following, stop
    return Chain(tuple(payloads), octets, tuple(spans))


def _name(kind: int) -> str:
    return PayloadType.of(kind).name
