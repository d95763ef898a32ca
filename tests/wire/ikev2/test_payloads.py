"""What holds for every payload alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.model.identity import Identity, IdType
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.message import decode_payloads, encode_payloads
from isthmus.wire.ikev2.payloads import (
    Authentication,
    CertificateRequest,
    Eap,
    IdI,
    KeyExchange,
    Nonce,
    Payload,
    UnknownPayload,
)
from isthmus.wire.registry import AuthMethod, CertificateEncoding, EapCode, KeMethod, PayloadType
from tests.wire.octets import CORPUS, captured
from tests.wire.strategies import payloads

CHAINS = sorted(path.stem for path in CORPUS.glob("chain-*.hex"))


def read_one(kind: PayloadType, body: str, flags: str = "00") -> Payload:
    octets = bytes.fromhex(body)
    generic = bytes.fromhex("00" + flags) + (4 + len(octets)).to_bytes(2, "big")
    (payload,) = decode_payloads(kind, generic + octets)
    return payload


def attempt(first: PayloadType, octets: bytes) -> tuple[Payload, ...] | WireError:
    try:
        return decode_payloads(first, octets)
    except WireError as error:
        return error


@given(st.lists(payloads, max_size=8).map(tuple))
def test_what_was_written_is_read_again(chain: tuple[Payload, ...]) -> None:
    assert decode_payloads(*encode_payloads(chain)) == chain


@given(payloads)
def test_a_payload_cut_anywhere_is_refused(payload: Payload) -> None:
    first, octets = encode_payloads((payload,))
    for size in range(len(octets)):
        with pytest.raises(WireError):
            decode_payloads(first, octets[:size])


@given(payloads)
def test_a_payload_shortened_with_its_length_is_refused_or_another_value(payload: Payload) -> None:
    first, octets = encode_payloads((payload,))
    for size in range(4, len(octets)):
        shorter = octets[:2] + size.to_bytes(2, "big") + octets[4:size]
        match attempt(first, shorter):
            case WireError(offset=offset):
                assert 0 <= offset <= size
            case read:
                assert read != (payload,)
                assert encode_payloads(read)[1] == shorter


@pytest.mark.parametrize("name", CHAINS)
def test_a_captured_chain_cut_anywhere_is_refused(name: str) -> None:
    first, octets = PayloadType(int(name.split("-")[1])), captured(name)
    for size in range(len(octets)):
        with pytest.raises(WireError) as caught:
            decode_payloads(first, octets[:size])
        assert 0 <= caught.value.offset <= size


@pytest.mark.parametrize("name", CHAINS)
def test_a_captured_chain_is_written_as_it_was(name: str) -> None:
    first, octets = PayloadType(int(name.split("-")[1])), captured(name)
    assert encode_payloads(decode_payloads(first, octets)) == (first, octets)


@given(st.integers(0, 255).map(PayloadType), st.binary(max_size=300))
def test_arbitrary_octets_end_in_payloads_or_a_wire_error(first: PayloadType, octets: bytes) -> None:
    match attempt(first, octets):
        case WireError(why=why, offset=offset, field=field):
            assert 0 <= offset <= len(octets)
            assert why
            assert field
        case chain:
            assert decode_payloads(*encode_payloads(chain)) == chain


@pytest.mark.parametrize("kind", [kind for kind in PayloadType if kind is not PayloadType.NONE])
@given(body=st.binary(max_size=120))
def test_arbitrary_bodies_of_every_type_do_no_harm(kind: PayloadType, body: bytes) -> None:
    match attempt(kind, b"\x00\x00" + (4 + len(body)).to_bytes(2, "big") + body):
        case WireError(field=field):
            assert field.startswith(kind.name)
        case (payload,):
            assert payload.type == kind


def test_the_critical_flag_is_kept_and_the_reserved_bits_beside_it_are_not() -> None:
    payload = read_one(PayloadType.VENDOR_ID, "616263", flags="ff")
    assert payload.critical
    assert encode_payloads((payload,))[1] == bytes.fromhex("00800007616263")


def test_an_unknown_payload_keeps_type_flag_and_octets() -> None:
    payload = read_one(PayloadType(200), "010203", flags="80")
    assert payload == UnknownPayload(PayloadType(200), b"\x01\x02\x03", critical=True)
    assert payload.type == 200


def test_reserved_octets_are_ignored_and_written_zero() -> None:
    payload = read_one(PayloadType.KE, "001fffff" + "ab" * 32)
    assert payload == KeyExchange(KeMethod.CURVE25519, b"\xab" * 32)
    assert encode_payloads((payload,))[1][4:8] == bytes.fromhex("001f0000")


def test_an_unknown_method_of_key_exchange_is_kept() -> None:
    payload = read_one(PayloadType.KE, "040100000102")
    assert payload == KeyExchange(KeMethod(1025), b"\x01\x02")


@pytest.mark.parametrize("size", [0, 1, 15, 257, 1000])
def test_a_nonce_has_16_to_256_octets(size: int) -> None:
    with pytest.raises(WireError) as caught:
        read_one(PayloadType.NONCE, "00" * size)
    assert caught.value.field == "NONCE.data"
    assert read_one(PayloadType.NONCE, "00" * 16) == Nonce(bytes(16))
    assert read_one(PayloadType.NONCE, "00" * 256) == Nonce(bytes(256))


@pytest.mark.parametrize("body", ["", "01000000", "01000000c00002", "010000000a0000010a", "05000000c0000201"])
def test_an_address_as_identity_has_the_size_of_an_address(body: str) -> None:
    with pytest.raises(WireError):
        read_one(PayloadType.IDI, body)


def test_an_identity_is_kept_octet_for_octet() -> None:
    hostile = b"a\x00b\x1b[31m\xff"
    assert read_one(PayloadType.IDI, "02000000" + hostile.hex()) == IdI(Identity(IdType.FQDN, hostile))
    assert read_one(PayloadType.IDI, "c8000000") == IdI(Identity(IdType(200), b""))


def test_authentication_and_certificate_request_are_read() -> None:
    assert read_one(PayloadType.AUTH, "0e000000aabb") == Authentication(AuthMethod.DIGITAL_SIGNATURE, b"\xaa\xbb")
    assert read_one(PayloadType.CERTREQ, "04") == CertificateRequest(CertificateEncoding.X509_SIGNATURE, b"")


@pytest.mark.parametrize("body", ["", "010100", "01010003", "0101000601", "0101000401"])
def test_an_eap_message_fills_its_payload(body: str) -> None:
    with pytest.raises(WireError):
        read_one(PayloadType.EAP, body)
    assert Eap(bytes.fromhex("03010004")).code is EapCode.SUCCESS


def test_a_value_that_has_no_room_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="NONCE"):
        encode_payloads((Nonce(bytes(70000)),))
    with pytest.raises(ValueError, match="KE"):
        encode_payloads((KeyExchange(KeMethod(70000), b""),))
