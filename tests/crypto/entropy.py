"""Entropy for tests: the same octets every time."""

from __future__ import annotations

import hashlib

from isthmus.crypto.key_share import Entropy


def fixed(octets: bytes) -> Entropy:
    """Gives these octets, right-aligned in what is asked for."""
    return lambda count: octets[-count:].rjust(count, b"\0")


def seeded(seed: bytes) -> Entropy:
    """A stream that the seed determines."""
    calls = 0

    def octets(count: int) -> bytes:
        nonlocal calls
        calls += 1
        return hashlib.shake_256(seed + calls.to_bytes(4)).digest(count)

    return octets
