"""Octets that must not be seen."""

from __future__ import annotations

import hmac
from typing import Final


class Secret:
    """A key or a password. Its text never shows the octets, and comparison takes constant time."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets: Final = octets

    def reveal(self) -> bytes:
        """The octets themselves: for a cipher, a PRF or the data plane, and nothing else."""
        return self._octets

    def __len__(self) -> int:
        return len(self._octets)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._octets, other._octets)

    def __hash__(self) -> int:
        raise TypeError("a secret is no key of a table")

    def __repr__(self) -> str:
        return f"<{len(self._octets)} octets>"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")
