"""Comparison of authenticators."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isthmus.crypto.compare import equal


@given(st.binary(), st.binary())
def test_equal_means_the_same_octets(a: bytes, b: bytes) -> None:
    assert equal(a, b) is (a == b)
    assert equal(a, bytes(bytearray(a)))
