"""Open enumerations: IANA registries in which a number that we do not know is still a number."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Open(IntEnum):
    """A registry that other people extend: an unlisted value is kept, is named UNASSIGNED_n, and survives a round trip.

    Such members are made on demand and never remembered, so a peer cannot grow our memory with them.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or value < 0:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNASSIGNED_{value}"
        member._value_ = value
        return member

    @classmethod
    def of(cls, number: int) -> Self:
        """The member for a number from the wire: what calling the registry gives, several times faster."""
        member = cls._value2member_map_.get(number)
        return cls._missing_(number) if member is None else member  # type: ignore[return-value]

    @property
    def known(self) -> bool:
        """Whether the value is listed in our copy of the registry."""
        return self._value_ in type(self)._value2member_map_
