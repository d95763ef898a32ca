"""What all payloads share. RFC 7296, 3.2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from isthmus.wire.layout import Layout
from isthmus.wire.reader import Reader
from isthmus.wire.registry import PayloadType


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One payload without its generic header.

    The critical flag matters where the receiver does not know the payload type; on all others it is ignored.
    """

    type: ClassVar[PayloadType]

    critical: bool = False

    @classmethod
    def read(cls, reader: Reader, *, critical: bool) -> Self:
        """The payload whose body `reader` holds; what it leaves over is refused by its caller."""
        raise NotImplementedError

    def write(self) -> bytes:
        """The octets after the generic header."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class RegularPayload(Payload):
    """A payload whose layout says it all: fields of known size, and perhaps the rest."""

    layout: ClassVar[Layout]

    @classmethod
    def read(cls, reader: Reader, *, critical: bool) -> Self:
        return cls(*cls.layout.read(reader), critical=critical)

    def write(self) -> bytes:
        return self.layout.write(self)


@dataclass(frozen=True, slots=True)
class UnknownPayload(Payload):
    """A payload type that we do not read. Critical, it is refused; else it is skipped (RFC 7296, 2.5)."""

    kind: PayloadType
    data: bytes

    @property
    def type(self) -> PayloadType:  # type: ignore[override]
        return self.kind

    def write(self) -> bytes:
        return self.data
