from __future__ import annotations

import pytest
from hypothesis import given

from isthmus.model.quantities import IkeSpi, MessageId
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.header import Header, decode_header, encode_header
from isthmus.wire.registry import ExchangeType, PayloadType
from tests.wire.octets import captured
from tests.wire.strategies import headers

INIT = captured("message-strongswan-init-request")


def with_octets(octets: bytes, at: int, new: str) -> bytes:
    replacement = bytes.fromhex(new)
    return octets[:at] + replacement + octets[at + len(replacement) :]


def test_a_captured_header_is_read() -> None:
    assert decode_header(INIT) == Header(
        IkeSpi(bytes.fromhex("6fdd9637f92521ba")),
        IkeSpi(bytes(8)),
        ExchangeType.IKE_SA_INIT,
        MessageId(0),
        initiator=True,
        response=False,
        next_payload=PayloadType.SA,
        length=340,
    )


def test_a_captured_header_is_written_as_it_was() -> None:
    assert encode_header(decode_header(INIT)) == INIT[:28]


@given(headers)
def test_what_was_written_is_read_again(header: Header) -> None:
    octets = encode_header(header)
    alone = octets[:24] + (28).to_bytes(4, "big")
    assert encode_header(decode_header(alone)) == alone


@pytest.mark.parametrize("size", range(28))
def test_fewer_than_28_octets_are_no_header(size: int) -> None:
    with pytest.raises(WireError) as caught:
        decode_header(INIT[:size])
    assert caught.value.field == "header"


@pytest.mark.parametrize("length", ["00000000", "0000001b", "00000153", "00000155", "ffffffff"])
def test_the_length_is_that_of_the_datagram_and_no_other(length: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_header(with_octets(INIT, 24, length))
    assert (caught.value.offset, caught.value.field) == (24, "length")


def test_octets_after_the_message_are_refused() -> None:
    with pytest.raises(WireError):
        decode_header(INIT + b"\x00")


def test_an_initiator_spi_of_zero_is_refused() -> None:
    with pytest.raises(WireError) as caught:
        decode_header(with_octets(INIT, 0, "0000000000000000"))
    assert caught.value.field == "initiator SPI"


def test_any_major_version_can_be_read_so_that_it_can_be_answered() -> None:
    header = decode_header(with_octets(INIT, 17, "31"))
    assert (header.major, header.minor) == (3, 1)


@pytest.mark.parametrize(
    ("flags", "initiator", "response", "higher"),
    [("00", False, False, False), ("08", True, False, False), ("20", False, True, False), ("10", False, False, True)],
)
def test_each_flag_has_its_bit(flags: str, initiator: bool, response: bool, higher: bool) -> None:
    header = decode_header(with_octets(INIT, 19, flags))
    assert (header.initiator, header.response, header.higher_version) == (initiator, response, higher)
    assert encode_header(header)[19] == int(flags, 16)


def test_reserved_flags_are_ignored_and_written_zero() -> None:
    header = decode_header(with_octets(INIT, 19, "cf"))
    assert header == decode_header(INIT)
    assert encode_header(header)[19] == 0x08


def test_an_unknown_exchange_type_is_kept() -> None:
    header = decode_header(with_octets(INIT, 18, "f0"))
    assert (header.exchange, header.exchange.known) == (240, False)


def test_an_spi_of_the_wrong_size_is_never_written() -> None:
    header = Header(
        IkeSpi(b"short"), IkeSpi(bytes(8)), ExchangeType.IKE_AUTH, MessageId(1), initiator=True, response=False
    )
    with pytest.raises(ValueError, match="eight octets"):
        encode_header(header)
