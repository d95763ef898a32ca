"""How authenticators are compared: never with `==`."""

from __future__ import annotations

import hmac


def equal(a: bytes, b: bytes) -> bool:
    """Whether both are the same octets, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(a, b)
