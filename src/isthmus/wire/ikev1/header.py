"""The ISAKMP header. RFC 2408, 3.1."""

from __future__ import annotations

import struct
from dataclasses import KW_ONLY, dataclass

from isthmus.model.quantities import NO_SPI, IkeSpi, MessageId
from isthmus.wire.errors import WireError
from isthmus.wire.ikev1.registry import PayloadType
from isthmus.wire.registry import ExchangeTypeV1

HEADER_SIZE = 28
MAJOR_VERSION = 1

_HEADER = struct.Struct(">8s8sBBBBII")
_VERSION_OFFSET = 17
_LENGTH_OFFSET = 24
_ENCRYPTED = 0x01
_COMMIT = 0x02
_AUTHENTICATION_ONLY = 0x04


@dataclass(frozen=True, slots=True)
class Header:
    """The first 28 octets of every message. What the RFC calls cookies are SPIs here, as in version 2.

    `next_payload` and `length` are what was received; on the way out `encode` computes them.
    """

    initiator_spi: IkeSpi
    responder_spi: IkeSpi
    exchange: ExchangeTypeV1
    message_id: MessageId
    _: KW_ONLY
    encrypted: bool = False
    commit: bool = False
    authentication_only: bool = False
    major: int = MAJOR_VERSION
    minor: int = 0
    next_payload: PayloadType = PayloadType.NONE
    length: int = 0


def decode_header(octets: bytes) -> Header:
    """Read the header of a whole datagram."""
    if len(octets) < HEADER_SIZE:
        raise WireError(f"need {HEADER_SIZE} octets, have {len(octets)}", 0, "header")
    initiator_spi, responder_spi, next_payload, version, exchange, flags, message_id, length = _HEADER.unpack_from(
        octets
    )
    if length != len(octets):
        raise WireError(f"length says {length}, the datagram has {len(octets)} octets", _LENGTH_OFFSET, "length")
    if version >> 4 != MAJOR_VERSION:
        raise WireError(f"major version {version >> 4}", _VERSION_OFFSET, "version")
    if initiator_spi == NO_SPI:
        raise WireError("is zero", 0, "initiator cookie")
    return Header(
        initiator_spi,
        responder_spi,
        ExchangeTypeV1.of(exchange),
        message_id,
        encrypted=flags & _ENCRYPTED != 0,
        commit=flags & _COMMIT != 0,
        authentication_only=flags & _AUTHENTICATION_ONLY != 0,
        minor=version & 0x0F,
        next_payload=PayloadType.of(next_payload),
        length=length,
    )


def write_header(header: Header, next_payload: int, length: int) -> bytes:
    """Write a header for a message whose first payload and length are these."""
    if len(header.initiator_spi) != len(NO_SPI) or len(header.responder_spi) != len(NO_SPI):
        raise ValueError("a cookie has eight octets")
    flags = (
        (_ENCRYPTED if header.encrypted else 0)
        | (_COMMIT if header.commit else 0)
        | (_AUTHENTICATION_ONLY if header.authentication_only else 0)
    )
    return _HEADER.pack(
        header.initiator_spi,
        header.responder_spi,
        next_payload,
        header.major << 4 | header.minor,
        header.exchange,
        flags,
        header.message_id,
        length,
    )
