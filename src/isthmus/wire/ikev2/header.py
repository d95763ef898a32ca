"""The IKE header. RFC 7296, 3.1."""

from __future__ import annotations

import struct
from dataclasses import KW_ONLY, dataclass

from isthmus.model.quantities import NO_SPI, IkeSpi, MessageId
from isthmus.wire.errors import WireError
from isthmus.wire.registry import ExchangeType, PayloadType

HEADER_SIZE = 28
MAJOR_VERSION = 2

_HEADER = struct.Struct(">8s8sBBBBII")
_VERSION_OFFSET = 17
_LENGTH_OFFSET = 24
_INITIATOR = 0x08
_HIGHER_VERSION = 0x10
_RESPONSE = 0x20


@dataclass(frozen=True, slots=True)
class Header:
    """The first 28 octets of every IKE message.

    `next_payload` and `length` are what was received; on the way out `encode` computes them.
    """

    initiator_spi: IkeSpi
    responder_spi: IkeSpi
    exchange: ExchangeType
    message_id: MessageId
    _: KW_ONLY
    initiator: bool
    """The I flag: the sender is the original initiator of the IKE SA."""
    response: bool
    """The R flag."""
    higher_version: bool = False
    """The V flag: the sender speaks a higher major version too."""
    major: int = MAJOR_VERSION
    minor: int = 0
    next_payload: PayloadType = PayloadType.NONE
    length: int = 0


def decode_header(octets: bytes) -> Header:
    """Read the header of a whole datagram. Any major version passes, so that it can be answered (RFC 7296, 2.5)."""
    if len(octets) < HEADER_SIZE:
        raise WireError(f"need {HEADER_SIZE} octets, have {len(octets)}", 0, "header")
    initiator_spi, responder_spi, next_payload, version, exchange, flags, message_id, length = _HEADER.unpack_from(
        octets
    )
    if length != len(octets):
        raise WireError(f"length says {length}, the datagram has {len(octets)} octets", _LENGTH_OFFSET, "length")
    if initiator_spi == NO_SPI:
        # RFC 7296, 3.1: this value MUST NOT be zero.
        raise WireError("is zero", 0, "initiator SPI")
    return Header(
        initiator_spi,
        responder_spi,
        ExchangeType.of(exchange),
        message_id,
        initiator=flags & _INITIATOR != 0,
        response=flags & _RESPONSE != 0,
        higher_version=flags & _HIGHER_VERSION != 0,
        major=version >> 4,
        minor=version & 0x0F,
        next_payload=PayloadType.of(next_payload),
        length=length,
    )


def encode_header(header: Header) -> bytes:
    """Write a header as it stands, `next_payload` and `length` included."""
    return write_header(header, header.next_payload, header.length)


def write_header(header: Header, next_payload: int, length: int) -> bytes:
    """Write a header for a message whose first payload and length are these."""
    if len(header.initiator_spi) != len(NO_SPI) or len(header.responder_spi) != len(NO_SPI):
        raise ValueError("an IKE SPI has eight octets")
    flags = (
        (_INITIATOR if header.initiator else 0)
        | (_RESPONSE if header.response else 0)
        | (_HIGHER_VERSION if header.higher_version else 0)
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


def require_version(header: Header) -> None:
    """Refuse to read on in another major version. Of the minor one nothing hangs (RFC 7296, 2.5)."""
    if header.major != MAJOR_VERSION:
        raise WireError(f"major version {header.major}", _VERSION_OFFSET, "version")
