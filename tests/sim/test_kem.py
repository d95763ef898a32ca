"""Encapsulation with randomness that is handed in."""

from __future__ import annotations

import random

import pytest

from isthmus.crypto.kem import KemShare
from isthmus.model.algorithms import KEY_EXCHANGE_BY_NAME
from isthmus.sim.kem import encapsulate


@pytest.mark.parametrize("name", ["ml-kem-768", "ml-kem-1024"])
@pytest.mark.parametrize("seed", range(10))
def test_the_library_opens_it_to_the_same_secret(name: str, seed: int) -> None:
    method, draw = KEY_EXCHANGE_BY_NAME[name], random.Random(seed).randbytes
    share = KemShare(method, draw)
    ciphertext, shared = encapsulate(method, share.public, draw(32))
    assert share.agree(ciphertext) == shared


def test_it_depends_on_nothing_else() -> None:
    method = KEY_EXCHANGE_BY_NAME["ml-kem-768"]
    key = KemShare(method, random.Random(1).randbytes).public
    assert encapsulate(method, key, bytes(32)) == encapsulate(method, key, bytes(32))
    assert encapsulate(method, key, bytes(32)) != encapsulate(method, key, bytes([1] * 32))
