from __future__ import annotations

import pytest

from isthmus.model.proposal import Protocol
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.message import decode_payloads, encode_payloads
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import NotifyType, PayloadType


def read(body: str) -> Notify:
    octets = bytes.fromhex(body)
    (payload,) = decode_payloads(PayloadType.NOTIFY, b"\x00\x00" + (4 + len(octets)).to_bytes(2, "big") + octets)
    assert isinstance(payload, Notify)
    return payload


def test_a_notify_about_a_child_sa_names_it() -> None:
    # SK { N(REKEY_SA), SA, Ni, TSi, TSr }
    assert read("03044009c94d2f01") == Notify(NotifyType.REKEY_SA, b"", Protocol.ESP, bytes.fromhex("c94d2f01"))


def test_unknown_types_and_protocols_are_kept() -> None:
    payload = read("c8029c40aabbccdd")
    assert payload == Notify(NotifyType(40000), b"\xcc\xdd", Protocol(200), b"\xaa\xbb")
    assert encode_payloads((payload,))[1][4:].hex() == "c8029c40aabbccdd"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "NOTIFY.notify type"),
        ("000040", "NOTIFY.notify type"),
        ("01084000ffffffff", "NOTIFY.SPI"),
        ("03ff4009c94d2f01", "NOTIFY.SPI size"),
        ("03034009c94d2f", "NOTIFY.SPI size"),
        ("02084009c94d2f01c94d2f01", "NOTIFY.SPI size"),
        ("03044009c94d2f", "NOTIFY.SPI"),
    ],
)
def test_an_spi_that_cannot_be_one_is_refused(body: str, field: str) -> None:
    with pytest.raises(WireError) as caught:
        read(body)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("notify", "right", "wrong"),
    [
        (NotifyType.INVALID_KE_PAYLOAD, (2,), (0, 1, 3)),
        (NotifyType.COOKIE, (1, 64), (0, 65, 1000)),
        (NotifyType.COOKIE2, (8, 64), (7, 65)),
        (NotifyType.SET_WINDOW_SIZE, (4,), (0, 3, 5)),
        (NotifyType.AUTH_LIFETIME, (4,), (2, 8)),
        (NotifyType.ADDITIONAL_IP4_ADDRESS, (4,), (16,)),
        (NotifyType.ADDITIONAL_IP6_ADDRESS, (16,), (4,)),
        (NotifyType.NO_PROPOSAL_CHOSEN, (0, 1, 500), ()),
    ],
)
def test_data_that_must_be_acted_on_has_the_size_the_rfc_gives_it(
    notify: NotifyType, right: tuple[int, ...], wrong: tuple[int, ...]
) -> None:
    for size in right:
        assert read(f"0000{notify:04x}" + "01" * size).data == b"\x01" * size
    for size in wrong:
        with pytest.raises(WireError) as caught:
            read(f"0000{notify:04x}" + "01" * size)
        assert caught.value.field == "NOTIFY.data"
