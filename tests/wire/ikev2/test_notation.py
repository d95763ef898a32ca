from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.message import decode, decode_payloads, encode
from isthmus.wire.ikev2.notation import notation
from isthmus.wire.ikev2.payloads import KeyExchange, Payload
from isthmus.wire.registry import KeMethod, PayloadType
from tests.wire.octets import captured
from tests.wire.strategies import headers, payloads, sealed


def test_a_request_is_written_as_the_rfc_does() -> None:
    assert notation(decode(captured("message-strongswan-init-request"))) == (
        "IKE_SA_INIT request 0 { SAi1, KEi(group31), Ni, N(NAT_DETECTION_SOURCE_IP), "
        "N(NAT_DETECTION_DESTINATION_IP), N(IKEV2_FRAGMENTATION_SUPPORTED), "
        "N(SIGNATURE_HASH_ALGORITHMS), N(REDIRECT_SUPPORTED) }"
    )


def test_a_response_speaks_for_its_sender() -> None:
    assert notation(decode(captured("message-strongswan-init-response"))).startswith(
        "IKE_SA_INIT response 0 { SAr1, KEr(group31), Nr, "
    )


def test_what_is_sealed_is_counted_until_it_is_opened() -> None:
    message = decode(captured("message-strongswan-auth-request"))
    assert notation(message) == "IKE_AUTH request 1 { SK { 367 octets } }"
    inside = decode_payloads(PayloadType.IDI, captured("chain-35-strongswan-auth-request"))
    assert notation(inside, message.header).startswith(
        "IKE_AUTH request 1 SK { IDi, N(INITIAL_CONTACT), IDr, AUTH, SAi2, TSi, TSr, N(MOBIKE_SUPPORTED), "
    )
    assert notation(inside).startswith("{ IDi, N(INITIAL_CONTACT), IDr, AUTH, SA, TSi, TSr, ")


def test_an_empty_message_is_a_pair_of_braces() -> None:
    header = decode(captured("message-strongswan-informational-response")).header
    assert notation((), header) == "INFORMATIONAL response 2 SK {}"


def test_everything_else_has_a_symbol() -> None:
    rekey = decode_payloads(PayloadType.SA, captured("chain-33-rekey"))
    assert notation(rekey) == "{ SA, Nonce, KE(group31), N(REKEY_SA), D(ESP), EAP(REQUEST) }"
    certificates = decode_payloads(PayloadType.IDI, captured("chain-35-certificates"))
    assert notation(certificates) == "{ IDi, CERT, CERTREQ, AUTH, CP(CFG_REQUEST), V }"
    assert notation(decode(captured("message-fragment"))) == "IKE_AUTH request 2 { SKF 2/3 { 40 octets } }"
    assert notation(decode(captured("message-unknown-payloads"))) == (
        "IKE_SA_INIT request 0 { N(COOKIE), UNASSIGNED_200, UNASSIGNED_201, PS }"
    )
    assert notation([KeyExchange(KeMethod.ML_KEM_768, b""), KeyExchange(KeMethod(1025), b"")]) == (
        "{ KE(ml-kem-768), KE(group1025) }"
    )


@given(headers, st.lists(payloads, max_size=5), sealed)
def test_every_message_has_a_notation_of_one_printable_line(
    header: Header, chain: list[Payload], last: Payload
) -> None:
    line = notation(decode(encode(header, [*chain, last])))
    assert line.isprintable()
