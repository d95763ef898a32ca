"""PRFs against RFC 2202 and RFC 4231, and prf+ against its definition."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.crypto.prf import prf, prf_plus
from isthmus.model.algorithms import PRF, PRF_BY_NAME, Prf

HI_THERE = b"Hi There"
JEFE = b"what do ya want for nothing?"
LARGE_KEY = b"Test Using Larger Than Block-Size Key - Hash Key First"

KNOWN = [
    # RFC 2202, 2 and 3
    ("md5", b"\x0b" * 16, HI_THERE, "9294727a3638bb1c13f48ef8158bfc9d"),
    ("md5", b"Jefe", JEFE, "750c783e6ab0b503eaa86e310a5db738"),
    ("sha1", b"\x0b" * 20, HI_THERE, "b617318655057264e28bc0b6fb378c8ef146be00"),
    ("sha1", b"Jefe", JEFE, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    # RFC 4231, 4.2, 4.3 and 4.7
    ("sha256", b"\x0b" * 20, HI_THERE, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    ("sha256", b"Jefe", JEFE, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ("sha256", b"\xaa" * 131, LARGE_KEY, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    (
        "sha384",
        b"\x0b" * 20,
        HI_THERE,
        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
    ),
    (
        "sha384",
        b"Jefe",
        JEFE,
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
    ),
    (
        "sha512",
        b"\x0b" * 20,
        HI_THERE,
        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
        "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
    ),
    (
        "sha512",
        b"Jefe",
        JEFE,
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
        "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ),
]

rows = st.sampled_from(PRF)


@pytest.mark.parametrize(("name", "key", "data", "answer"), KNOWN)
def test_prf_gives_the_answers_of_the_rfcs(name: str, key: bytes, data: bytes, answer: str) -> None:
    assert prf(PRF_BY_NAME[name], key, data).hex() == answer


@given(rows, st.binary(min_size=1, max_size=200), st.binary(max_size=300))
def test_prf_is_hmac_as_the_standard_library_has_it(row: Prf, key: bytes, data: bytes) -> None:
    assert prf(row, key, data) == hmac.digest(key, data, row.digest)
    assert len(prf(row, key, data)) == row.size


@given(rows, st.binary(min_size=1, max_size=80), st.binary(max_size=100))
def test_prf_plus_chains_its_blocks_with_a_counter(row: Prf, key: bytes, seed: bytes) -> None:
    # RFC 7296, 2.13: T1 = prf (K, S | 0x01), T2 = prf (K, T1 | S | 0x02), ...
    first = prf(row, key, seed + b"\x01")
    second = prf(row, key, first + seed + b"\x02")
    third = prf(row, key, second + seed + b"\x03")
    assert prf_plus(row, key, seed, 3 * row.size) == first + second + third


@given(rows, st.integers(0, 500), st.integers(0, 500))
def test_a_shorter_prf_plus_is_the_beginning_of_a_longer_one(row: Prf, one: int, other: int) -> None:
    short, long = sorted((one, other))
    assert prf_plus(row, b"key", b"seed", long)[:short] == prf_plus(row, b"key", b"seed", short)


@pytest.mark.parametrize("row", PRF, ids=lambda row: row.name)
def test_prf_plus_ends_with_block_255(row: Prf) -> None:
    assert len(prf_plus(row, b"key", b"seed", 255 * row.size)) == 255 * row.size
    with pytest.raises(ValueError, match="at most"):
        prf_plus(row, b"key", b"seed", 255 * row.size + 1)
