"""Layouts: which octets hold which field. Declared once for each payload, compiled once, and then fast.

    layout = Layout(u16("method", KeMethod), reserved(2), rest("data"))

RESERVED is written as zero and ignored on receipt (RFC 7296, 2.5).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from isthmus.model.registry import Open
from isthmus.wire.errors import WireError
from isthmus.wire.reader import Reader


@dataclass(frozen=True, slots=True)
class Field:
    """A run of octets. Without a name it is RESERVED; without a format it is all the rest."""

    name: str
    format: str
    registry: type[Open] | None = None


def u8(name: str, registry: type[Open] | None = None) -> Field:
    return Field(name, "B", registry)


def u16(name: str, registry: type[Open] | None = None) -> Field:
    return Field(name, "H", registry)


def u32(name: str, registry: type[Open] | None = None) -> Field:
    return Field(name, "I", registry)


def reserved(size: int) -> Field:
    return Field("", f"{size}x")


def rest(name: str) -> Field:
    """Everything up to the end; only the last field can be one."""
    return Field(name, "")


class Layout:
    """A compiled sequence of fields: reads a tuple of values, writes an object that has attributes of those names."""

    __slots__ = ("_fields", "_open_end", "_registries", "_struct", "_values", "names")

    def __init__(self, *fields: Field) -> None:
        self._fields = fields
        self._open_end = not fields[-1].format
        fixed = fields[:-1] if self._open_end else fields
        named = [field for field in fixed if field.name]
        self.names = tuple(field.name for field in fields if field.name)
        self._struct = struct.Struct(">" + "".join(field.format for field in fixed))
        self._registries = tuple(
            (index, field.registry.of) for index, field in enumerate(named) if field.registry is not None
        )
        self._values = _attributes(self.names)

    def read(self, reader: Reader) -> list[Any]:
        """The values in order. Without an open end, what follows is left to the reader's owner."""
        start, end = reader.offset, reader.end
        tail = start + self._struct.size
        if tail > end:
            raise self._short(start, end)
        values = list(self._struct.unpack_from(reader.octets, start))
        for index, member_of in self._registries:
            values[index] = member_of(values[index])
        if self._open_end:
            values.append(reader.octets[tail:end])
            tail = end
        reader.offset = tail
        return values

    def write(self, value: object) -> bytes:
        values = self._values(value)
        if self._open_end:
            tail: bytes = values[-1]
            return self._struct.pack(*values[:-1]) + tail
        return self._struct.pack(*values)

    def _short(self, start: int, end: int) -> WireError:
        for field in self._fields:
            size = struct.calcsize(">" + field.format)
            if start + size > end:
                return WireError(f"need {size} octets, have {end - start}", start, field.name or "RESERVED")
            start += size
        raise ValueError("every field fits")


def _attributes(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    getter = attrgetter(*names)
    if len(names) == 1:
        return lambda value: (getter(value),)
    return getter
