"""Secrets do not show."""

from __future__ import annotations

import copy
import pickle

import pytest

from isthmus.model.secret import Secret


def test_no_text_of_a_secret_shows_its_octets() -> None:
    secret = Secret(b"correct horse")
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!r:>30}", repr([secret]), repr({"psk": secret})):
        assert "<13 octets>" in text
        assert "horse" not in text


def test_equality_is_that_of_the_octets() -> None:
    assert Secret(b"a") == Secret(b"a")
    assert Secret(b"a") != Secret(b"b")
    assert Secret(b"a") != Secret(b"aa")
    assert Secret(b"a") != b"a"


def test_a_secret_opens_only_on_demand() -> None:
    assert Secret(b"a").reveal() == b"a"
    assert len(Secret(b"abc")) == 3
    assert not hasattr(Secret(b"a"), "__dict__")


@pytest.mark.parametrize("leak", [hash, pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_neither_hashed_nor_copied_nor_written(leak: object) -> None:
    with pytest.raises(TypeError):
        leak(Secret(b"a"))  # type: ignore[operator]
