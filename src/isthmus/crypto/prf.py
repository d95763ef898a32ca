"""Pseudo-random functions: all of ours are HMACs. RFC 7296, 2.13."""

from __future__ import annotations

import hmac
from typing import Final

from isthmus.model.algorithms import Prf

MAX_BLOCKS: Final = 255
"""RFC 7296, 2.13: the counter is one octet, so prf+ ends here."""


def prf(row: Prf, key: bytes, data: bytes) -> bytes:
    """prf(key, data)."""
    return hmac.digest(key, data, row.digest)


def prf_plus(row: Prf, key: bytes, seed: bytes, length: int) -> bytes:
    """The first `length` octets of prf+(key, seed); ValueError where prf+ has no more to give."""
    blocks = -(-length // row.size)
    if blocks > MAX_BLOCKS:
        raise ValueError(f"prf+ of {row.name} yields {MAX_BLOCKS * row.size} octets at most, not {length}")
    stream = bytearray()
    block = b""
    for counter in range(1, blocks + 1):
        block = hmac.digest(key, block + seed + bytes((counter,)), row.digest)
        stream += block
    return bytes(stream[:length])
