from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from isthmus.model.quantities import IkeSpi, MessageId
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.encrypted import MAX_FRAGMENTS
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.message import (
    MAX_PAYLOADS,
    Message,
    decode,
    decode_payloads,
    encode,
    encode_payloads,
    sealed_prefix,
)
from isthmus.wire.ikev2.payloads import (
    Encrypted,
    EncryptedFragment,
    KeyExchange,
    Nonce,
    Notify,
    Payload,
    SecurityAssociation,
    UnknownPayload,
    VendorId,
)
from isthmus.wire.registry import ExchangeType, NotifyType, PayloadType
from tests.wire.octets import CORPUS, captured
from tests.wire.strategies import headers, payloads, sealed

MESSAGES = sorted(path.stem for path in CORPUS.glob("message-*.hex"))
HEADER = Header(
    IkeSpi(bytes.fromhex("c0c1c2c3c4c5c6c7")),
    IkeSpi(bytes.fromhex("d0d1d2d3d4d5d6d7")),
    ExchangeType.INFORMATIONAL,
    MessageId(9),
    initiator=False,
    response=False,
)


def message(first: int, *parts: str) -> bytes:
    """A datagram of these payload octets, with a right length."""
    chain = bytes.fromhex("".join(parts))
    octets = encode(HEADER, ()) + chain
    return octets[:16] + bytes([first]) + octets[17:24] + len(octets).to_bytes(4, "big") + octets[28:]


def test_the_message_of_rfc_7634_appendix_b_is_read_and_written() -> None:
    octets = captured("message-rfc7634-appendix-b")
    read = decode(octets)
    assert read.octets == octets
    (sk,) = read.payloads
    assert sk == Encrypted(PayloadType.NOTIFY, octets[32:])
    assert encode(HEADER, read.payloads) == octets
    assert encode(read.header, read.payloads) == octets


def test_the_prefix_is_the_associated_data_of_rfc_7634_appendix_b() -> None:
    octets = captured("message-rfc7634-appendix-b")
    body = octets[32:]
    prefix = sealed_prefix(HEADER, PayloadType.NOTIFY, len(body))
    assert prefix + body == octets

    key, salt = bytes(range(0x80, 0xA0)), bytes(range(0xA0, 0xA4))
    plaintext = ChaCha20Poly1305(key).decrypt(salt + body[:8], body[8:], prefix)
    inside = plaintext[: -1 - plaintext[-1]]
    assert decode_payloads(PayloadType.NOTIFY, inside) == (Notify(NotifyType.SET_WINDOW_SIZE, bytes((0, 0, 0, 10))),)


def test_a_captured_request_is_read() -> None:
    read = decode(captured("message-strongswan-init-request"))
    assert [type(payload) for payload in read.payloads] == [SecurityAssociation, KeyExchange, Nonce, *[Notify] * 5]
    assert [payload.notify for payload in read.payloads if isinstance(payload, Notify)] == [
        NotifyType.NAT_DETECTION_SOURCE_IP,
        NotifyType.NAT_DETECTION_DESTINATION_IP,
        NotifyType.IKEV2_FRAGMENTATION_SUPPORTED,
        NotifyType.SIGNATURE_HASH_ALGORITHMS,
        NotifyType.REDIRECT_SUPPORTED,
    ]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_captured_message_is_written_as_it_was(name: str) -> None:
    octets = captured(name)
    read = decode(octets)
    assert encode(read.header, read.payloads) == octets


@pytest.mark.parametrize("name", MESSAGES)
def test_a_captured_message_cut_anywhere_is_refused(name: str) -> None:
    octets = captured(name)
    for size in range(len(octets)):
        with pytest.raises(WireError):
            decode(octets[:size])


@pytest.mark.parametrize("name", [name for name in MESSAGES if "init" in name])
def test_a_message_cut_anywhere_with_its_length_mended_is_refused(name: str) -> None:
    octets = captured(name)
    for size in range(28, len(octets)):
        with pytest.raises(WireError):
            decode(octets[:24] + size.to_bytes(4, "big") + octets[28:size])


@given(headers, st.lists(payloads, max_size=6), st.lists(sealed, max_size=1))
def test_what_was_written_is_read_again(header: Header, open_ones: list[Payload], last: list[Payload]) -> None:
    octets = encode(header, [*open_ones, *last])
    read = decode(octets)
    assert read.payloads == (*open_ones, *last)
    assert encode(read.header, read.payloads) == read.octets == octets


def attempt(octets: bytes) -> Message | WireError:
    try:
        return decode(octets)
    except WireError as error:
        return error


@given(st.binary(max_size=400))
def test_arbitrary_octets_end_in_a_message_or_a_wire_error(octets: bytes) -> None:
    match attempt(octets):
        case WireError(offset=offset):
            assert 0 <= offset <= len(octets)
        case Message() as read:
            assert read.octets == octets


@given(st.integers(0, 255), st.binary(max_size=300))
def test_arbitrary_octets_behind_a_good_header_do_no_harm(first: int, chain: bytes) -> None:
    match attempt(message(first, chain.hex())):
        case WireError(offset=offset):
            assert 28 <= offset <= 28 + len(chain)
        case Message() as read:
            assert decode(encode(read.header, read.payloads)).payloads == read.payloads


def test_another_major_version_is_refused_and_another_minor_one_is_not() -> None:
    octets = message(0)
    assert decode(octets[:17] + b"\x2f" + octets[18:]).header.minor == 15
    for version in (b"\x10", b"\x30", b"\x00"):
        with pytest.raises(WireError) as caught:
            decode(octets[:17] + version + octets[18:])
        assert caught.value.field == "version"


@pytest.mark.parametrize(
    ("first", "chain", "field"),
    [
        (43, "", "VENDOR_ID header"),
        (43, "000000", "VENDOR_ID header"),
        (43, "00000000", "VENDOR_ID.length"),
        (43, "00000003", "VENDOR_ID.length"),
        (43, "2b000000", "VENDOR_ID.length"),
        (43, "00000005", "VENDOR_ID.length"),
        (43, "0000ffff", "VENDOR_ID.length"),
        (43, "2b000004", "VENDOR_ID header"),
        (43, "0000000400", "message"),
        (0, "00000004", "message"),
        (46, "2900000400000008", "message"),
    ],
)
def test_lengths_and_next_payloads_that_lead_astray_are_refused(first: int, chain: str, field: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(message(first, chain))
    assert caught.value.field == field


def test_a_chain_has_at_most_64_payloads() -> None:
    assert len(decode(message(43, "2b000004" * (MAX_PAYLOADS - 1), "00000004")).payloads) == MAX_PAYLOADS
    with pytest.raises(WireError) as caught:
        decode(message(43, "2b000004" * MAX_PAYLOADS, "00000004"))
    assert caught.value.field == "next payload"


def test_payloads_of_version_1_and_repeated_ones_are_read_like_any_other() -> None:
    # Which payloads may stand where is for the exchange to say.
    read = decode(message(1, "2b000005aa", "2b000004", "00000004"))
    assert read.payloads == (UnknownPayload(PayloadType(1), b"\xaa"), VendorId(b""), VendorId(b""))


def test_an_encrypted_payload_that_is_not_last_is_refused() -> None:
    with pytest.raises(WireError):
        decode(message(46, "2b000008aabbccdd", "00000004"))
    with pytest.raises(ValueError, match="not the last"):
        encode(HEADER, (Encrypted(PayloadType.NONE, b""), VendorId(b"")))


def test_an_encrypted_payload_inside_another_is_refused() -> None:
    for payload in (Encrypted(PayloadType.NONE, b""), EncryptedFragment(PayloadType.NONE, 1, 1, b"")):
        first, octets = encode_payloads((payload,))
        with pytest.raises(WireError, match="inside another"):
            decode_payloads(first, octets)


def test_an_empty_message_is_a_header() -> None:
    assert decode(encode(HEADER, ())).payloads == ()
    assert decode_payloads(PayloadType.NONE, b"") == ()


@pytest.mark.parametrize(
    ("numbers", "field"),
    [
        ("00000000", "SKF.number"),
        ("00000001", "SKF.number"),
        ("00010000", "SKF.number"),
        ("00030002", "SKF.number"),
        ("ffffffff", "SKF.total"),
        (f"0001{MAX_FRAGMENTS + 1:04x}", "SKF.total"),
        ("0001", "SKF.total"),
    ],
)
def test_fragments_that_cannot_be_numbered_so_are_refused(numbers: str, field: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(message(53, f"0000{4 + len(numbers) // 2:04x}{numbers}"))
    assert caught.value.field == field


def test_a_fragment_carries_its_number_and_only_the_first_tells_what_is_inside() -> None:
    body = bytes(range(40))
    for number, first in ((1, PayloadType.IDI), (2, PayloadType.NONE)):
        octets = sealed_prefix(HEADER, PayloadType.IDI, len(body), (number, 2)) + body
        read = decode(octets)
        assert read.payloads == (EncryptedFragment(first, number, 2, body),)
        assert encode(HEADER, read.payloads) == octets


def test_a_body_that_one_payload_cannot_hold_is_never_written() -> None:
    assert len(sealed_prefix(HEADER, PayloadType.IDI, 0xFFFF - 4)) == 32
    with pytest.raises(ValueError, match="SK"):
        sealed_prefix(HEADER, PayloadType.IDI, 0xFFFF - 3)


@pytest.mark.parametrize("fragment", [(0, 1), (2, 1), (0, 0), (1, MAX_FRAGMENTS + 1)])
def test_a_fragment_that_cannot_be_is_never_written(fragment: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="fragment"):
        sealed_prefix(HEADER, PayloadType.IDI, 40, fragment)


@given(headers, st.binary(max_size=80))
def test_prefix_and_body_are_the_message(header: Header, body: bytes) -> None:
    whole = encode(header, (Encrypted(PayloadType.IDI, body),))
    assert sealed_prefix(header, PayloadType.IDI, len(body)) + body == whole
