"""The one way in which octets can be wrong."""

from __future__ import annotations


class WireError(Exception):
    """Octets that are not what the RFC says: why, where they begin to be wrong, and in which field."""

    def __init__(self, why: str, offset: int, field: str) -> None:
        super().__init__(why, offset, field)
        self.why = why
        self.offset = offset
        self.field = field

    def within(self, outer: str) -> WireError:
        """The same fault, with the name of what encloses it before the field: `KE.method`."""
        return WireError(self.why, self.offset, f"{outer}.{self.field}")

    def __str__(self) -> str:
        return f"{self.why} at offset {self.offset} in {self.field}"
