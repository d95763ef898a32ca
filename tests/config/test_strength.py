"""How hard a pre-shared key is to guess."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.config.strength import ENOUGH_BITS, guessing_bits


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"a",
        b"secret",
        b"password1",
        b"abcdefghijklmnopqrstuvwxyz",
        b"abababababababababababababab",
        b"1" * 64,
        bytes(32),
    ],
)
def test_what_people_think_of_is_not_enough(key: bytes) -> None:
    assert guessing_bits(key) < ENOUGH_BITS


@pytest.mark.parametrize(
    "key",
    [
        bytes.fromhex("9f1c4be07a25d8633e90b1fc5a7746e2"),
        b"9f1c4be07a25d8633e90b1fc5a7746e2",
        base64.b64encode(bytes.fromhex("9f1c4be07a25d8633e90b1fc5a7746e2")),
        b"kX7#pQ2$vL9!mZ4&",
    ],
)
def test_sixteen_random_octets_are_enough_however_they_are_written(key: bytes) -> None:
    assert guessing_bits(key) >= ENOUGH_BITS


@given(st.binary(min_size=1))
def test_repeating_the_last_octet_adds_nothing(key: bytes) -> None:
    assert guessing_bits(key + key[-1:]) == guessing_bits(key)
