"""Pseudo-random functions: all of ours are HMACs. RFC 7296, 2.13."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.hmac import HMAC

from isthmus.crypto.digest import ALGORITHMS
from isthmus.model.algorithms import Prf

MAX_BLOCKS: Final = 255
"""RFC 7296, 2.13: the counter is one octet, so prf+ ends here."""


def prf(row: Prf, key: bytes, data: bytes) -> bytes:
    """prf(key, data)."""
    keyed = HMAC(key, ALGORITHMS[row.digest])
    keyed.update(data)
    return keyed.finalize()


def prf_plus(row: Prf, key: bytes, seed: bytes, length: int) -> bytes:
    """The first `length` octets of prf+(key, seed); ValueError where prf+ has no more to give."""
    blocks = -(-length // row.size)
    if blocks > MAX_BLOCKS:
        raise ValueError(f"prf+ of {row.name} yields {MAX_BLOCKS * row.size} octets at most, not {length}")
    keyed = HMAC(key, ALGORITHMS[row.digest])
    stream = bytearray()
    block = b""
    for counter in range(1, blocks + 1):
        step = keyed.copy()
        step.update(block + seed + bytes((counter,)))
        block = step.finalize()
        stream += block
    return bytes(stream[:length])
