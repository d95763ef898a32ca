from __future__ import annotations

from struct import Struct

import pytest

from isthmus.wire.errors import WireError
from isthmus.wire.reader import Reader


def test_a_reader_hands_out_octets_in_order() -> None:
    reader = Reader(bytes(range(10)))
    assert reader.u8("a") == 0
    assert reader.u16("b") == 0x0102
    assert reader.unpack(Struct(">BH"), "c") == (3, 0x0405)
    assert reader.take(2, "d") == b"\x06\x07"
    assert reader.remaining == 2
    assert reader.rest() == b"\x08\x09"
    reader.finish("all")


def test_reading_past_the_end_names_place_and_field() -> None:
    reader = Reader(b"\x00\x01\x02", 1)
    with pytest.raises(WireError) as caught:
        reader.take(3, "data")
    assert (caught.value.why, caught.value.offset, caught.value.field) == ("need 3 octets, have 2", 1, "data")
    assert str(caught.value) == "need 3 octets, have 2 at offset 1 in data"


def test_a_failed_read_takes_nothing() -> None:
    reader = Reader(b"\x07")
    with pytest.raises(WireError):
        reader.u16("number")
    assert reader.u8("number") == 7


def test_a_part_ends_where_it_was_told_to_though_octets_follow() -> None:
    reader = Reader(b"abcdef")
    part = reader.part(2, "part")
    assert part.rest() == b"ab"
    with pytest.raises(WireError) as caught:
        part.u8("more")
    assert caught.value.offset == 2
    assert reader.rest() == b"cdef"


def test_a_negative_size_is_refused_rather_than_read_backwards() -> None:
    reader = Reader(b"abcdef", 4)
    with pytest.raises(WireError, match="shorter than its own header"):
        reader.take(-1, "length")
    assert reader.offset == 4


def test_left_overs_are_refused() -> None:
    reader = Reader(b"abc")
    reader.u8("first")
    with pytest.raises(WireError) as caught:
        reader.finish("body")
    assert (caught.value.why, caught.value.offset, caught.value.field) == ("2 octets left over", 1, "body")


def test_an_error_can_be_told_from_further_out() -> None:
    error = WireError("is zero", 4, "method").within("KE")
    assert (error.why, error.offset, error.field) == ("is zero", 4, "KE.method")
