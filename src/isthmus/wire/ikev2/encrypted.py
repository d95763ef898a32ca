"""The payloads that hold the others, sealed. RFC 7296, 3.14; RFC 7383, 2.5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.payload import Payload
from isthmus.wire.layout import Layout, rest, u16
from isthmus.wire.reader import Reader
from isthmus.wire.registry import PayloadType

MAX_FRAGMENTS = 64
"""Of one message, both ways. At 512 octets each still 32 kilobytes: above any certificate chain."""


@dataclass(frozen=True, slots=True)
class Encrypted(Payload):
    """SK: always last, so that its Next Payload field, here `first`, is free to tell what is inside.

    `body` is IV, ciphertext and ICV.
    """

    type: ClassVar = PayloadType.SK
    layout: ClassVar = Layout(rest("body"))

    first: PayloadType
    body: bytes

    @classmethod
    def read_last(cls, reader: Reader, first: PayloadType, *, critical: bool) -> Self:
        """Read the payload in its only place: nothing follows, and `first` is what its generic header points to."""
        return cls(first, *cls.layout.read(reader), critical=critical)

    def write(self) -> bytes:
        return self.layout.write(self)


@dataclass(frozen=True, slots=True)
class EncryptedFragment(Payload):
    """SKF: one fragment of a message. `first` is told by fragment 1; in the others it is NONE."""

    type: ClassVar = PayloadType.SKF
    layout: ClassVar = Layout(u16("number"), u16("total"), rest("body"))

    first: PayloadType
    number: int
    total: int
    body: bytes

    @classmethod
    def read_last(cls, reader: Reader, first: PayloadType, *, critical: bool) -> Self:
        """Read the fragment in its only place, and check its numbers as RFC 7383, 2.6 asks."""
        start = reader.offset
        number, total, body = cls.layout.read(reader)
        if total > MAX_FRAGMENTS:
            raise WireError(f"{total} fragments, at most {MAX_FRAGMENTS}", start + 2, "total")
        if not 1 <= number <= total:
            raise WireError(f"fragment {number} of {total}", start, "number")
        return cls(first, number, total, body, critical=critical)

    def write(self) -> bytes:
        return self.layout.write(self)
