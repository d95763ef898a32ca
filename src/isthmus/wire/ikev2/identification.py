"""Identification. RFC 7296, 3.5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from isthmus.model.identity import Identity, IdType
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.payload import Payload
from isthmus.wire.layout import Layout, reserved, rest, u8
from isthmus.wire.reader import Reader
from isthmus.wire.registry import PayloadType

_IDENTITY = Layout(u8("type", IdType), reserved(3), rest("value"))
_SIZES = {IdType.IPV4_ADDR: 4, IdType.IPV6_ADDR: 16}


@dataclass(frozen=True, slots=True)
class _Identification(Payload):
    identity: Identity

    @classmethod
    def read(cls, reader: Reader, *, critical: bool) -> Self:
        start = reader.offset
        kind, value = _IDENTITY.read(reader)
        size = _SIZES.get(kind, len(value))
        if size != len(value):
            raise WireError(f"{kind.name} of {len(value)} octets", start, "identity")
        return cls(Identity(kind, value), critical=critical)

    def write(self) -> bytes:
        return _IDENTITY.write(self.identity)


@dataclass(frozen=True, slots=True)
class IdI(_Identification):
    """Who the original initiator says it is."""

    type: ClassVar = PayloadType.IDI


@dataclass(frozen=True, slots=True)
class IdR(_Identification):
    """Who the responder says it is, or whom the initiator wants to reach."""

    type: ClassVar = PayloadType.IDR
