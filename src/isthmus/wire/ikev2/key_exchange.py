"""Key exchange and nonce. RFC 7296, 3.4 and 3.9; RFC 9370."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.payload import RegularPayload
from isthmus.wire.layout import Layout, reserved, rest, u16
from isthmus.wire.reader import Reader
from isthmus.wire.registry import KeMethod, PayloadType

MIN_NONCE = 16
MAX_NONCE = 256
"""RFC 7296, 3.9: a nonce has 16 to 256 octets."""


@dataclass(frozen=True, slots=True)
class KeyExchange(RegularPayload):
    """The sender's public value. Whether its size fits the method is for the one who computes with it."""

    type: ClassVar = PayloadType.KE
    layout: ClassVar = Layout(u16("method", KeMethod), reserved(2), rest("data"))

    method: KeMethod
    data: bytes


@dataclass(frozen=True, slots=True)
class Nonce(RegularPayload):
    """Random octets of the sender."""

    type: ClassVar = PayloadType.NONCE
    layout: ClassVar = Layout(rest("data"))

    data: bytes

    @classmethod
    def read(cls, reader: Reader, *, critical: bool) -> Self:
        start, size = reader.offset, reader.remaining
        if not MIN_NONCE <= size <= MAX_NONCE:
            raise WireError(f"{size} octets, not {MIN_NONCE} to {MAX_NONCE}", start, "data")
        return cls(reader.rest(), critical=critical)
