from __future__ import annotations

from dataclasses import dataclass, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.payload import RegularPayload
from isthmus.wire.ikev2.payloads import READABLE, Encrypted, EncryptedFragment
from isthmus.wire.layout import Layout, reserved, rest, u8, u16, u32
from isthmus.wire.reader import Reader
from isthmus.wire.registry import KeMethod


@dataclass(frozen=True)
class Sample:
    kind: int
    method: KeMethod
    number: int
    data: bytes


LAYOUT = Layout(u8("kind"), reserved(3), u16("method", KeMethod), u32("number"), rest("data"))


def test_a_layout_reads_its_fields_in_order() -> None:
    values = LAYOUT.read(Reader(bytes.fromhex("07000000001f00000009616263")))
    assert values == [7, KeMethod.CURVE25519, 9, b"abc"]


def test_reserved_octets_are_ignored_when_read_and_zero_when_written() -> None:
    values = LAYOUT.read(Reader(bytes.fromhex("07ffffff001f00000009")))
    assert LAYOUT.write(Sample(*values)) == bytes.fromhex("07000000001f00000009")


@given(
    st.builds(Sample, st.integers(0, 255), st.integers(0, 65535).map(KeMethod), st.integers(0, 2**32 - 1), st.binary())
)
def test_what_was_written_is_read_again(sample: Sample) -> None:
    assert Sample(*LAYOUT.read(Reader(LAYOUT.write(sample)))) == sample


@pytest.mark.parametrize(
    ("size", "why", "field"),
    [
        (0, "need 1 octets, have 0", "kind"),
        (3, "need 3 octets, have 2", "RESERVED"),
        (5, "need 2 octets, have 1", "method"),
        (9, "need 4 octets, have 3", "number"),
    ],
)
def test_what_is_missing_is_named(size: int, why: str, field: str) -> None:
    with pytest.raises(WireError) as caught:
        LAYOUT.read(Reader(bytes(size)))
    assert (caught.value.why, caught.value.field) == (why, field)


def test_without_an_open_end_the_reader_stops_after_the_last_field() -> None:
    reader = Reader(b"\x01\x02\x03\x04")
    assert Layout(u8("a"), u16("b")).read(reader) == [1, 0x0203]
    assert reader.remaining == 1


@pytest.mark.parametrize(
    "payload", [*(kind for kind in READABLE if issubclass(kind, RegularPayload)), Encrypted, EncryptedFragment]
)
def test_a_layout_and_its_class_name_the_same_fields(
    payload: type[RegularPayload | Encrypted | EncryptedFragment],
) -> None:
    declared = tuple(field.name for field in fields(payload) if field.name not in ("critical", "first"))
    assert payload.layout.names == declared
