"""Putting messages together again that came in pieces which prove nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.engine.ikev1.fragments import MAX_FRAGMENTS, BadFragment, Reassembly, cut
from isthmus.model.quantities import IkeSpi, MessageId
from isthmus.wire.ikev1.header import Header
from isthmus.wire.ikev1.message import decode
from isthmus.wire.ikev1.payloads import Fragment
from isthmus.wire.registry import ExchangeTypeV1

HEADER = Header(IkeSpi(b"initiate"), IkeSpi(b"responds"), ExchangeTypeV1.IDENTITY_PROTECTION, MessageId(0))


@given(st.binary(min_size=1, max_size=4000), st.integers(300, 1500), st.randoms(use_true_random=False))
def test_what_is_cut_is_put_together_in_whatever_order_it_comes(octets: bytes, size: int, random) -> None:  # type: ignore[no-untyped-def]
    pieces = list(cut(HEADER, octets, size, 4, 7))
    assert all(len(piece) + 28 + 4 <= size for piece in pieces)
    if len(pieces) == 1:
        assert pieces == [octets]
        return
    random.shuffle(pieces)
    reassembly = Reassembly()
    whole = [reassembly.add(piece) for piece in map(_fragment, pieces)]
    assert whole[:-1] == [None] * (len(pieces) - 1)
    assert whole[-1] == octets


def _fragment(piece: bytes) -> Fragment:
    (payload,) = decode(piece).chain.payloads
    assert isinstance(payload, Fragment)
    return payload


@pytest.mark.parametrize(
    "pieces",
    [
        [Fragment(1, 0, 0, b"x")],
        [Fragment(1, 1, 0, b"")],
        [Fragment(1, MAX_FRAGMENTS + 1, 1, b"x")],
        [Fragment(1, 3, 0, b"x"), Fragment(1, 2, 1, b"x")],
        [Fragment(1, 2, 1, b"x"), Fragment(1, 3, 0, b"x")],
        [Fragment(1, 2, 1, b"x"), Fragment(1, 3, 1, b"x")],
        [Fragment(1, n, 0, b"x" * 30000) for n in (1, 2, 3)],
    ],
    ids=["number-0", "empty", "too-many", "last-too-early", "behind-the-last", "two-last", "too-large"],
)
def test_pieces_that_cannot_belong_together_are_refused(pieces: list[Fragment]) -> None:
    with pytest.raises(BadFragment):
        _add_all(pieces)


def _add_all(pieces: list[Fragment]) -> None:
    reassembly = Reassembly()
    for piece in pieces:
        assert reassembly.add(piece) is None


def test_a_piece_of_another_message_displaces_those_before() -> None:
    reassembly = Reassembly()
    assert reassembly.add(Fragment(1, 1, 0, b"old")) is None
    assert reassembly.add(Fragment(2, 1, 0, b"new ")) is None
    assert reassembly.add(Fragment(2, 2, 1, b"one")) == b"new one"


def test_the_first_of_two_pieces_of_one_number_counts() -> None:
    reassembly = Reassembly()
    assert reassembly.add(Fragment(1, 1, 0, b"first")) is None
    assert reassembly.add(Fragment(1, 1, 0, b"again")) is None
    assert reassembly.add(Fragment(1, 2, 1, b"!")) == b"first!"
