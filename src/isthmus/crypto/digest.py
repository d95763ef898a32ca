"""Hashes, by the names that the algorithm table uses."""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.hazmat.primitives import hashes

ALGORITHMS: Final[dict[str, hashes.HashAlgorithm]] = {
    "md5": hashes.MD5(),  # noqa: S303  only inside HMAC, for old peers; the table marks it weak
    "sha1": hashes.SHA1(),  # noqa: S303  NAT detection, and HMAC for old peers
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def sha1(data: bytes) -> bytes:
    """What NAT detection compares (RFC 7296, 2.23): no secret hangs on it."""
    return hashlib.sha1(data, usedforsecurity=False).digest()


def digest(name: str, data: bytes) -> bytes:
    """The hash of `data`; ValueError for a name that the table does not have."""
    if name not in ALGORITHMS:
        raise ValueError(f"no hash is called {name!r}")
    return hashlib.new(name, data, usedforsecurity=False).digest()
