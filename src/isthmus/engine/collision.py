"""Who yields when two ends do the same thing at once. RFC 7296, 2.8.1."""

from __future__ import annotations


def loses(mine: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> bool:
    """Whether the exchange with nonces `mine` is the redundant one: the lowest of all four nonces is its.

    Compared octet by octet; a shorter nonce that begins the longer one is the lower, which is how Python compares.
    """
    return min(mine) < min(other)
