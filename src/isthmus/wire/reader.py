"""A reader that cannot run past its end."""

from __future__ import annotations

from struct import Struct
from typing import Any

from isthmus.wire.errors import WireError

_U16 = Struct(">H")


class Reader:
    """Octets between `offset` and `end`; whatever does not fit is a WireError that names the field.

    Parts share the octets and keep absolute offsets, so a fault deep inside still says where it stands in the datagram.
    """

    __slots__ = ("end", "octets", "offset")

    def __init__(self, octets: bytes, offset: int = 0, end: int | None = None) -> None:
        self.octets = octets
        self.offset = offset
        self.end = len(octets) if end is None else end

    @property
    def remaining(self) -> int:
        return self.end - self.offset

    def u8(self, field: str) -> int:
        return self.octets[self._advance(1, field)]

    def u16(self, field: str) -> int:
        number: int = _U16.unpack_from(self.octets, self._advance(2, field))[0]
        return number

    def unpack(self, layout: Struct, field: str) -> tuple[Any, ...]:
        return layout.unpack_from(self.octets, self._advance(layout.size, field))

    def take(self, size: int, field: str) -> bytes:
        start = self._advance(size, field)
        return self.octets[start : self.offset]

    def rest(self) -> bytes:
        """All that remains, which may be nothing."""
        start, self.offset = self.offset, self.end
        return self.octets[start : self.end]

    def part(self, size: int, field: str) -> Reader:
        """A reader over the next `size` octets, which are then behind this one."""
        start = self._advance(size, field)
        return Reader(self.octets, start, self.offset)

    def finish(self, field: str) -> None:
        """Refuse left-overs."""
        if self.offset != self.end:
            raise WireError(f"{self.end - self.offset} octets left over", self.offset, field)

    def _advance(self, size: int, field: str) -> int:
        start = self.offset
        if size < 0:
            # A length field that counts less than the header it stands in.
            raise WireError("length is shorter than its own header", start, field)
        if size > self.end - start:
            raise WireError(f"need {size} octets, have {self.end - start}", start, field)
        self.offset = start + size
        return start
