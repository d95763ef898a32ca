"""Ciphers that the library keeps for old peers only, as do we."""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES

_DES_KEY = 8


def triple_des(key: bytes) -> TripleDES:
    """3DES of 24 octets of key; DES of 8, which is 3DES with one key thrice: the library has no other."""
    return TripleDES(key * 3 if len(key) == _DES_KEY else key)
