"""Sealing and opening of messages: what stands in an Encrypted payload. RFC 7296, 3.14; RFC 5282.

Python protects IKE messages only; packets are the data plane's.
"""

from __future__ import annotations

from typing import Protocol

from isthmus.crypto.aead import aead
from isthmus.crypto.encrypt_then_mac import EncryptThenMac
from isthmus.crypto.integrity import Authenticator, IntegrityFailure
from isthmus.model.algorithms import Encryption, Integrity

__all__ = ["IntegrityFailure", "Protection", "protection"]


class Protection(Protocol):
    """One direction's cipher and integrity under their keys."""

    @property
    def iv(self) -> int:
        """Octets of explicit IV: unpredictable ones for CBC, ones never used before for an AEAD (a counter will do)."""

    @property
    def icv(self) -> int: ...

    @property
    def block(self) -> int:
        """Plaintexts are whole multiples of this."""

    def seal(self, associated: bytes, iv: bytes, plaintext: bytes) -> bytes:
        """IV | ciphertext | ICV."""

    def open(self, associated: bytes, body: bytes) -> bytes:
        """The plaintext with its padding, possibly empty, of IV | ciphertext | ICV; IntegrityFailure otherwise."""


def protection(
    encryption: Encryption, key: bytes, integrity: Integrity | None, integrity_key: bytes = b""
) -> Protection:
    """A suite under its keys; `key` ends in the salt where the cipher has one. ValueError for what is no suite."""
    if len(key) != encryption.key + encryption.salt:
        raise ValueError(f"{encryption.name} takes {encryption.key + encryption.salt} octets of key, not {len(key)}")
    if encryption.aead:
        if integrity is not None:
            raise ValueError(f"{encryption.name} has its own integrity; {integrity.name} beside it is no suite")
        return aead(encryption, key)
    if integrity is None:
        raise ValueError(f"{encryption.name} without integrity protects nothing")
    return EncryptThenMac(encryption, key, Authenticator(integrity, integrity_key))
