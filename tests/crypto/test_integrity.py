"""Integrity algorithms: HMAC, cut."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.crypto.integrity import Authenticator, IntegrityFailure
from isthmus.model.algorithms import INTEGRITY, INTEGRITY_BY_NAME, Integrity

rows = st.sampled_from(INTEGRITY)

# RFC 2202, 2 and 3; RFC 4868, 2.7.2.1 and following: AUTH test vectors, truncated.
KNOWN = [
    ("md5", b"\x0b" * 16, "9294727a3638bb1c13f48ef8"),
    ("sha1", b"\x0b" * 20, "b617318655057264e28bc0b6"),
    ("sha256", b"\x0b" * 32, "198a607eb44bfbc69903a0f1cf2bbdc5"),
    ("sha384", b"\x0b" * 48, "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973"),
    ("sha512", b"\x0b" * 64, "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8"),
]


@pytest.mark.parametrize(("name", "key", "icv"), KNOWN)
def test_icvs_of_the_rfcs(name: str, key: bytes, icv: str) -> None:
    assert Authenticator(INTEGRITY_BY_NAME[name], key).icv(b"Hi There").hex() == icv


@given(rows, st.binary(max_size=200), st.integers(0, 200), st.data())
def test_an_icv_is_over_the_parts_as_if_they_were_one(
    row: Integrity, data: bytes, at: int, draw: st.DataObject
) -> None:
    key = draw.draw(st.binary(min_size=row.key, max_size=row.key))
    authenticator = Authenticator(row, key)
    icv = authenticator.icv(data[:at], data[at:])
    assert icv == hmac.digest(key, data, row.digest)[: row.icv]
    authenticator.verify(icv, data)


@given(rows, st.data())
def test_one_wrong_bit_or_a_wrong_length_is_a_failure(row: Integrity, draw: st.DataObject) -> None:
    authenticator = Authenticator(row, bytes(row.key))
    icv = authenticator.icv(b"data")
    bit = draw.draw(st.integers(0, 8 * row.icv - 1))
    flipped = (int.from_bytes(icv) ^ 1 << bit).to_bytes(row.icv)
    for wrong in (flipped, icv[:-1], icv + b"\0", b""):
        with pytest.raises(IntegrityFailure):
            authenticator.verify(wrong, b"data")


@pytest.mark.parametrize("row", INTEGRITY, ids=lambda row: row.name)
def test_a_key_of_another_length_is_refused(row: Integrity) -> None:
    with pytest.raises(ValueError, match="octets"):
        Authenticator(row, bytes(row.key + 1))
