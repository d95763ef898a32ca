"""Identities as they stand on the wire."""

from __future__ import annotations

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from isthmus.config.values.identities import DnIdentity, FqdnIdentity, IpIdentity, KeyIdIdentity, UserFqdnIdentity
from isthmus.config.values.kind import Context, Kind
from isthmus.model.identity import Identity, IdType


@pytest.mark.parametrize(
    ("kind", "text", "identity"),
    [
        (IpIdentity(), "192.0.2.1", Identity(IdType.IPV4_ADDR, bytes([192, 0, 2, 1]))),
        (IpIdentity(), "::2", Identity(IdType.IPV6_ADDR, bytes(15) + b"\x02")),
        (FqdnIdentity(), "hq.example", Identity(IdType.FQDN, b"hq.example")),
        (FqdnIdentity(), "*.example", Identity(IdType.FQDN, b"*.example")),
        (UserFqdnIdentity(), "vpn@hq.example", Identity(IdType.RFC822_ADDR, b"vpn@hq.example")),
        (KeyIdIdentity(), "beef", Identity(IdType.KEY_ID, b"beef")),
        (KeyIdIdentity(), "0xbeef", Identity(IdType.KEY_ID, b"\xbe\xef")),
        (KeyIdIdentity(), "zweigstelle süd", Identity(IdType.KEY_ID, "zweigstelle süd".encode())),
    ],
)
def test_what_is_read(kind: Kind, text: str, identity: Identity) -> None:
    assert kind.read_any(text, Context()) == identity


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FqdnIdentity(), "two words"),
        (FqdnIdentity(), "bell\x07"),
        (FqdnIdentity(), "a" * 256),
        (UserFqdnIdentity(), "a@b@c"),
        (UserFqdnIdentity(), "@hq.example"),
        (KeyIdIdentity(), "0x"),
        (KeyIdIdentity(), "0xgg"),
        (KeyIdIdentity(), "a" * 1025),
        (DnIdentity(), ""),
        (DnIdentity(), "hq.example"),
        (DnIdentity(), "CN="),
        (DnIdentity(), "NOSUCH=x"),
        (DnIdentity(), "CN=" + "x" * 2000),
        (DnIdentity(), "C=Switzerland"),
    ],
)
def test_what_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        kind.read_any(text, Context())
    assert (caught.value.context or {})["code"] == "MALFORMED"


@pytest.mark.parametrize("text", ["CN=hq,O=Example,C=CH", "CN=hq, O=Example,  C=CH"])
def test_a_distinguished_name_is_the_name_that_a_certificate_would_have(text: str) -> None:
    identity = DnIdentity().read(text, Context())
    attributes = [
        x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "CH"),
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "hq"),
    ]
    assert identity == Identity(IdType.DER_ASN1_DN, x509.Name(attributes).public_bytes())


def _identity_or_code(kind: Kind, text: str) -> object:
    try:
        return kind.read_any(text, Context())
    except PydanticCustomError as refused:
        return (refused.context or {})["code"]


@given(st.text(max_size=80))
def test_any_text_is_an_identity_or_a_problem(text: str) -> None:
    for kind in (IpIdentity(), FqdnIdentity(), UserFqdnIdentity(), KeyIdIdentity(), DnIdentity()):
        found = _identity_or_code(kind, text)
        assert isinstance(found, Identity) or found == "MALFORMED"


@given(st.text(alphabet='CNOU=,+\\#"; ab01\x00é', max_size=40))
def test_any_distinguished_name_is_one_or_a_problem(text: str) -> None:
    found = _identity_or_code(DnIdentity(), text)
    assert isinstance(found, Identity) or found == "MALFORMED"
