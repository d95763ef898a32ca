from __future__ import annotations

import pytest

from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.message import decode_payloads, encode_payloads
from isthmus.wire.ikev2.payloads import TsI, TsR, UnknownSelector
from isthmus.wire.registry import PayloadType, TsType
from tests.wire.octets import captured

IPV4 = "070000100000ffff0a0100000a01ffff"
LABEL = "0a00000a736563726574"


def read(body: str) -> TsI:
    octets = bytes.fromhex(body)
    (payload,) = decode_payloads(PayloadType.TSI, b"\x00\x00" + (4 + len(octets)).to_bytes(2, "big") + octets)
    assert isinstance(payload, TsI)
    return payload


def test_the_selectors_of_another_implementation_are_read() -> None:
    # IKE_AUTH request 1 SK { IDi, N(INITIAL_CONTACT), IDr, AUTH, SAi2, TSi, TSr, ... }
    chain = decode_payloads(PayloadType.IDI, captured("chain-35-strongswan-auth-request"))
    (ours,) = (payload for payload in chain if isinstance(payload, TsI))
    (theirs,) = (payload for payload in chain if isinstance(payload, TsR))
    assert [str(selector) for selector in ours.selectors] == ["10.1.0.0/16", "fd00:1::/64"]
    assert [str(selector) for selector in theirs.selectors] == ["10.2.0.0/16[tcp/443]", "fd00:2::/64"]


def test_opaque_ports_are_read() -> None:
    (selector,) = read("01000000" + "07060010ffff00000a0100000a01ffff").selectors
    assert selector.opaque_ports


def test_a_type_that_we_do_not_read_is_kept_beside_the_others() -> None:
    payload = read("02000000" + LABEL + IPV4)
    assert payload.unknown == (UnknownSelector(TsType.SECLABEL, 0, b"secret"),)
    assert [str(selector) for selector in payload.selectors] == ["10.1.0.0/16"]
    assert decode_payloads(*encode_payloads((payload,))) == (payload,)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "TSI.number of TSs"),
        ("00000000", "TSI.number of TSs"),
        ("00000000" + IPV4, "TSI.number of TSs"),
        ("02000000" + IPV4, "TSI.selector"),
        ("ff000000" + IPV4, "TSI.selector"),
        ("01000000" + IPV4 + IPV4, "TSI.body"),
        ("01000000" + "07000003", "TSI.selector length"),
        ("01000000" + "07000000" + IPV4, "TSI.selector length"),
        ("01000000" + "07000011" + IPV4[8:], "TSI.selector length"),
        ("01000000" + "07000011" + IPV4[8:] + "00", "TSI.selector length"),
        ("01000000" + "0700000c" + IPV4[8:24], "TSI.ending address"),
        ("01000000" + "08000010" + IPV4[8:], "TSI.starting address"),
        ("01000000" + "070000100000ffff0a0200000a01ffff", "TSI.selector"),
        ("01000000" + "0706001001bb01ba0a0100000a01ffff", "TSI.selector"),
        ("01000000" + "07060010ffff00010a0100000a01ffff", "TSI.selector"),
    ],
)
def test_malformed_selectors_are_refused(body: str, field: str) -> None:
    with pytest.raises(WireError) as caught:
        read(body)
    assert caught.value.field == field


def test_255_selectors_are_as_many_as_there_can_be() -> None:
    payload = read("ff000000" + IPV4 * 255)
    assert len(payload.selectors) == 255
    with pytest.raises(ValueError, match="TSI"):
        encode_payloads((TsI(payload.selectors + payload.selectors[:1]),))
