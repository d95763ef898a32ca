"""Integrity: a keyed hash, cut to its ICV. RFC 2403, RFC 2404, RFC 4868."""

from __future__ import annotations

from cryptography.hazmat.primitives.hmac import HMAC

from isthmus.crypto.compare import equal
from isthmus.crypto.digest import ALGORITHMS
from isthmus.model.algorithms import Integrity


class IntegrityFailure(Exception):
    """An ICV is not what key and octets make of it, or there is no room for one: nothing there can be believed."""


class Authenticator:
    """One integrity algorithm under one key."""

    __slots__ = ("_keyed", "size")

    def __init__(self, row: Integrity, key: bytes) -> None:
        if len(key) != row.key:
            raise ValueError(f"{row.name} takes a key of {row.key} octets, not {len(key)}")
        self.size = row.icv
        self._keyed = HMAC(key, ALGORITHMS[row.digest])

    def icv(self, *parts: bytes) -> bytes:
        """The ICV over the parts, as if they were one."""
        running = self._keyed.copy()
        for part in parts:
            running.update(part)
        return running.finalize()[: self.size]

    def verify(self, icv: bytes, *parts: bytes) -> None:
        """Raises IntegrityFailure unless `icv` is theirs."""
        if not equal(self.icv(*parts), icv):
            raise IntegrityFailure
