from __future__ import annotations

import pytest

from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.configuration import MAX_ATTRIBUTES
from isthmus.wire.ikev2.message import decode_payloads, encode_payloads
from isthmus.wire.ikev2.payloads import Configuration
from isthmus.wire.registry import ConfigurationAttribute, ConfigurationType, PayloadType


def read(body: str) -> Configuration:
    octets = bytes.fromhex(body)
    (payload,) = decode_payloads(PayloadType.CP, b"\x00\x00" + (4 + len(octets)).to_bytes(2, "big") + octets)
    assert isinstance(payload, Configuration)
    return payload


def test_attributes_are_read_in_order() -> None:
    assert read("01000000" + "00010000" + "000300040a000001") == Configuration(
        ConfigurationType.CFG_REQUEST,
        (
            (ConfigurationAttribute.INTERNAL_IP4_ADDRESS, b""),
            (ConfigurationAttribute.INTERNAL_IP4_DNS, bytes((10, 0, 0, 1))),
        ),
    )


def test_the_reserved_bit_of_an_attribute_is_ignored_and_written_zero() -> None:
    payload = read("02000000" + "8001000401020304")
    assert payload.attributes == ((ConfigurationAttribute.INTERNAL_IP4_ADDRESS, b"\x01\x02\x03\x04"),)
    assert encode_payloads((payload,))[1][8:].hex() == "0001000401020304"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("010000", "CP.CFG type"),
        ("01000000000100", "CP.attribute"),
        ("010000000001000501020304", "CP.attribute value"),
        ("01000000" + "00010000" * (MAX_ATTRIBUTES + 1), "CP.attributes"),
    ],
)
def test_malformed_attributes_are_refused(body: str, field: str) -> None:
    with pytest.raises(WireError) as caught:
        read(body)
    assert caught.value.field == field
