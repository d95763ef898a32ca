from __future__ import annotations

import pytest

from isthmus.model.proposal import Protocol
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.delete import MAX_SPIS
from isthmus.wire.ikev2.message import decode_payloads, encode_payloads
from isthmus.wire.ikev2.payloads import Delete
from isthmus.wire.registry import PayloadType


def read(body: str) -> Delete:
    octets = bytes.fromhex(body)
    (payload,) = decode_payloads(PayloadType.DELETE, b"\x00\x00" + (4 + len(octets)).to_bytes(2, "big") + octets)
    assert isinstance(payload, Delete)
    return payload


def test_the_ike_sa_is_deleted_without_an_spi() -> None:
    assert read("01000000") == Delete(Protocol.IKE)


def test_each_child_sa_is_named_by_the_spi_it_is_received_on() -> None:
    payload = read("03040002c94d2f01c94d2f02")
    assert payload == Delete(Protocol.ESP, (bytes.fromhex("c94d2f01"), bytes.fromhex("c94d2f02")))
    assert encode_payloads((payload,))[1][4:].hex() == "03040002c94d2f01c94d2f02"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "DELETE.number of SPIs"),
        ("01080001" + "00" * 8, "DELETE.SPI size"),
        ("03000000", "DELETE.SPI size"),
        ("03050001" + "00" * 5, "DELETE.SPI size"),
        ("01000001", "DELETE.number of SPIs"),
        ("c800ffff", "DELETE.number of SPIs"),
        ("0304ffff", "DELETE.number of SPIs"),
        ("03040002c94d2f01", "DELETE.SPIs"),
        ("03040001c94d2f01c94d2f02", "DELETE.body"),
        ("c8ff00ff00", "DELETE.SPIs"),
    ],
)
def test_a_count_and_a_size_that_do_not_fit_are_refused(body: str, field: str) -> None:
    with pytest.raises(WireError) as caught:
        read(body)
    assert caught.value.field == field


def test_thousands_of_spis_are_refused() -> None:
    assert len(read(f"0304{MAX_SPIS:04x}" + "00000001" * MAX_SPIS).spis) == MAX_SPIS
    with pytest.raises(WireError):
        read(f"0304{MAX_SPIS + 1:04x}" + "00000001" * (MAX_SPIS + 1))


def test_spis_of_different_sizes_are_never_written() -> None:
    with pytest.raises(ValueError, match="one size"):
        encode_payloads((Delete(Protocol.ESP, (bytes(4), bytes(5))),))
