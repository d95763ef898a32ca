"""Identities, and how they are shown."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.model.identity import Identity, IdType


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (Identity.of_address(ip_address("192.0.2.1")), "ip:192.0.2.1"),
        (Identity.of_address(ip_address("2001:db8::1")), "ip:2001:db8::1"),
        (Identity.fqdn("hq.example"), "fqdn:hq.example"),
        (Identity.user_fqdn("ops@hq.example"), "user-fqdn:ops@hq.example"),
        (Identity.key_id(b"\x00\xff"), "key-id:00ff"),
        (Identity(IdType.DER_ASN1_DN, b"\x30\x00"), "dn:3000"),
        (Identity(IdType.IPV4_ADDR, b"\x01\x02"), "ipv4_addr:0102"),
        (Identity(IdType(201), b"\x01"), "unassigned_201:01"),
    ],
)
def test_identities_read_as_the_configuration_writes_them(identity: Identity, text: str) -> None:
    assert str(identity) == text


def test_an_address_has_the_type_of_its_family() -> None:
    # RFC 7296, 3.5
    assert Identity.of_address(ip_address("192.0.2.1")) == Identity(IdType.IPV4_ADDR, b"\xc0\x00\x02\x01")
    assert Identity.of_address(ip_address("::1")) == Identity(IdType.IPV6_ADDR, bytes(15) + b"\x01")


def test_a_name_of_another_type_is_another_identity() -> None:
    assert Identity.fqdn("hq") != Identity.user_fqdn("hq") != Identity.key_id(b"hq")


def test_a_terminal_is_not_driven_by_a_peers_name() -> None:
    assert str(Identity.fqdn("a\x1b[31mb\n")) == "fqdn:a\\x1b[31mb\\x0a"
    assert str(Identity(IdType.FQDN, b"\xff\x00")) == "fqdn:\\xff\\x00"


@given(st.integers(0, 255), st.binary(max_size=64))
def test_whatever_a_peer_claims_can_be_shown(kind: int, value: bytes) -> None:
    assert str(Identity(IdType(kind), value)).isprintable()
