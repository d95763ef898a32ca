"""Hashes by name."""

from __future__ import annotations

import pytest

from isthmus.crypto.digest import digest, sha1


def test_the_hashes_of_abc() -> None:
    # FIPS 180, RFC 1321
    assert digest("md5", b"abc").hex() == "900150983cd24fb0d6963f7d28e17f72"
    assert digest("sha1", b"abc").hex() == sha1(b"abc").hex() == "a9993e364706816aba3e25717850c26c9cd0d89d"
    assert digest("sha256", b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_hash_that_the_table_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="sha224"):
        digest("sha224", b"abc")
