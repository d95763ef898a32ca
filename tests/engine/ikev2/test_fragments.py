import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.engine.ikev2.fragments import MAX_FRAGMENTS, MAX_OCTETS, BadFragment, Reassembly
from isthmus.engine.ikev2.sealing import Opened
from isthmus.model.quantities import MessageId
from isthmus.wire.ikev2.payloads import EncryptedFragment
from isthmus.wire.registry import PayloadType

FIRST = PayloadType.IDI


def add(
    pieces: Reassembly,
    number: int,
    total: int,
    octets: bytes,
    message_id: int = 1,
    first: PayloadType = PayloadType.NONE,
) -> Opened | None:
    return pieces.add(MessageId(message_id), EncryptedFragment(first, number, total, b""), Opened(first, octets))


def test_fragments_in_order_make_the_message() -> None:
    pieces = Reassembly()
    assert add(pieces, 1, 3, b"one ", first=FIRST) is None
    assert add(pieces, 2, 3, b"two ") is None
    assert add(pieces, 3, 3, b"three") == Opened(FIRST, b"one two three")


@given(st.permutations(range(1, 7)), st.integers(0, 5))
def test_the_order_does_not_matter_nor_do_repetitions(order: list[int], again: int) -> None:
    pieces, whole = Reassembly(), None
    for number in [*order[:again], *order]:
        first = FIRST if number == 1 else PayloadType.NONE
        whole = add(pieces, number, 6, bytes([number]), first=first) or whole
    assert whole == Opened(FIRST, bytes(range(1, 7)))


def test_of_two_bodies_of_one_fragment_the_first_stays() -> None:
    pieces = Reassembly()
    add(pieces, 1, 2, b"first ", first=FIRST)
    add(pieces, 1, 2, b"second ", first=FIRST)
    assert add(pieces, 2, 2, b"end") == Opened(FIRST, b"first end")


@pytest.mark.parametrize(("number", "total"), [(0, 0), (0, 2), (3, 2), (1, 65535), (1, MAX_FRAGMENTS + 1)])
def test_impossible_numbers_are_refused(number: int, total: int) -> None:
    with pytest.raises(BadFragment):
        add(Reassembly(), number, total, b"x")


def test_a_larger_total_begins_anew_and_a_smaller_one_is_refused() -> None:
    pieces = Reassembly()
    add(pieces, 1, 2, b"old", first=FIRST)
    add(pieces, 1, 3, b"a", first=FIRST)
    with pytest.raises(BadFragment):
        add(pieces, 2, 2, b"old")
    add(pieces, 2, 3, b"b")
    assert add(pieces, 3, 3, b"c") == Opened(FIRST, b"abc")


def test_another_message_displaces_an_unfinished_one() -> None:
    pieces = Reassembly()
    add(pieces, 1, 2, b"old", message_id=1, first=FIRST)
    add(pieces, 1, 2, b"new ", message_id=2, first=FIRST)
    assert add(pieces, 2, 2, b"message", message_id=2) == Opened(FIRST, b"new message")


def test_only_the_first_fragment_says_which_payload_comes_first() -> None:
    pieces = Reassembly()
    add(pieces, 2, 2, b"b", first=PayloadType.DELETE)
    assert add(pieces, 1, 2, b"a", first=FIRST) == Opened(FIRST, b"ab")


def test_what_is_kept_of_one_message_is_bounded() -> None:
    pieces = Reassembly()
    piece = bytes(MAX_OCTETS // 4)
    for number in range(1, 5):
        add(pieces, number, 6, piece, first=FIRST)
    with pytest.raises(BadFragment):
        add(pieces, 5, 6, piece)
    assert add(pieces, 6, 6, b"end") is None, "nothing of it is kept"


def test_a_finished_message_leaves_nothing_for_the_next() -> None:
    pieces = Reassembly()
    add(pieces, 1, 3, b"x", message_id=1, first=FIRST)
    add(pieces, 2, 3, b"x", message_id=1)
    add(pieces, 3, 3, b"x", message_id=1)
    assert add(pieces, 1, 2, b"a", message_id=2, first=FIRST) is None
    assert add(pieces, 2, 2, b"b", message_id=2) == Opened(FIRST, b"ab")
