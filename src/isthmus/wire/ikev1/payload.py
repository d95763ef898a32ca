"""What all payloads share. RFC 2408, 3.2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from isthmus.wire.ikev1.registry import PayloadType
from isthmus.wire.layout import Layout
from isthmus.wire.reader import Reader


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload without its generic header."""

    type: ClassVar[PayloadType]

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The payload whose body `reader` holds; what it leaves over is refused by its caller."""
        raise NotImplementedError

    def write(self) -> bytes:
        """The octets after the generic header."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class RegularPayload(Payload):
    """A payload whose layout says it all."""

    layout: ClassVar[Layout]

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(*cls.layout.read(reader))

    def write(self) -> bytes:
        return self.layout.write(self)


@dataclass(frozen=True, slots=True)
class UnknownPayload(Payload):
    """A payload type that we do not read. It is skipped."""

    kind: PayloadType
    data: bytes

    @property
    def type(self) -> PayloadType:  # type: ignore[override]
        return self.kind

    def write(self) -> bytes:
        return self.data
