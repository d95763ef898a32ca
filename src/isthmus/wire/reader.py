"""A reader that cannot run past its end."""

from __future__ import annotations

from struct import Struct
from typing import Any

from isthmus.wire.errors import WireError


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
        return self.take(1, field)[0]

    def u16(self, field: str) -> int:
        return int.from_bytes(self.take(2, field))

    def unpack(self, layout: Struct, field: str) -> tuple[Any, ...]:
        start = self.offset
        stop = start + layout.size
        if stop > self.end:
            raise self._short(layout.size, field)
        self.offset = stop
        return layout.unpack_from(self.octets, start)

    def take(self, size: int, field: str) -> bytes:
        start = self.offset
        stop = start + size
        if size < 0 or stop > self.end:
            raise self._short(size, field)
        self.offset = stop
        return self.octets[start:stop]

    def rest(self) -> bytes:
        """All that remains, which may be nothing."""
        start, self.offset = self.offset, self.end
        return self.octets[start : self.end]

    def part(self, size: int, field: str) -> Reader:
        """A reader over the next `size` octets, which are then behind this one."""
        start = self.offset
        stop = start + size
        if size < 0 or stop > self.end:
            raise self._short(size, field)
        self.offset = stop
        return Reader(self.octets, start, stop)

    def finish(self, field: str) -> None:
        """Refuse left-overs."""
        if self.offset != self.end:
            raise WireError(f"{self.end - self.offset} octets left over", self.offset, field)

    def _short(self, size: int, field: str) -> WireError:
        if size < 0:
            # A length field that counts less than the header it stands in.
            return WireError("length is shorter than its own header", self.offset, field)
        return WireError(f"need {size} octets, have {self.end - self.offset}", self.offset, field)
