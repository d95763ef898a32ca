from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.wire.udp import KEEPALIVE, NON_ESP_MARKER, Content, classify, frame


@pytest.mark.parametrize(
    ("octets", "content"),
    [
        (b"", Content.INVALID),
        (KEEPALIVE, Content.KEEPALIVE),
        (b"\xfe", Content.INVALID),
        (b"\xff\xff", Content.INVALID),
        (NON_ESP_MARKER, Content.INVALID),
        (NON_ESP_MARKER + bytes(27), Content.INVALID),
        (NON_ESP_MARKER + bytes(28), Content.IKE),
        (b"\xc9\x4d\x2f\x01" + bytes(3), Content.INVALID),
        (b"\xc9\x4d\x2f\x01" + bytes(4), Content.ESP),
        (b"\xff\xff\xff\xff" + bytes(40), Content.ESP),
        (b"\x00\x00\x00\x01" + bytes(40), Content.ESP),
    ],
)
def test_first_octets_and_size_tell_what_came_in(octets: bytes, content: Content) -> None:
    assert classify(octets) is content


@given(st.binary(min_size=28, max_size=100))
def test_a_framed_message_is_ike_whatever_its_spi(message: bytes) -> None:
    assert classify(frame(message)) is Content.IKE
    assert frame(message).removeprefix(NON_ESP_MARKER) == message
