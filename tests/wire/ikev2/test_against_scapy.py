"""The same octets, read by us and by scapy, which was written by other people from the same RFC."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.contrib import ikev2 as scapy
from scapy.packet import Packet

from isthmus.model.address import Address
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.message import decode, encode
from isthmus.wire.ikev2.payloads import (
    Authentication,
    Certificate,
    CertificateRequest,
    Configuration,
    Delete,
    EncryptedFragment,
    IdI,
    IdR,
    KeyExchange,
    Nonce,
    Notify,
    Payload,
    SecurityAssociation,
    TsI,
    TsR,
    UnknownPayload,
    VendorId,
)
from isthmus.wire.registry import NotifyType, PayloadType
from tests.wire.octets import CORPUS, captured
from tests.wire.strategies import headers, payloads, sealed

MESSAGES = sorted(path.stem for path in CORPUS.glob("message-*.hex"))


def layers(packet: Packet) -> list[Packet]:
    found = []
    payload = packet.payload
    while payload:
        found.append(payload)
        payload = payload.payload
    return found


def readable_by_scapy(payload: Payload) -> bool:
    """What scapy's dissector takes on as we do: it knows no other attribute, and parses redirects and certificates."""
    match payload:
        case SecurityAssociation(proposals=proposals):
            return not any(t.unknown_attributes for proposal in proposals for t in proposal.transforms)
        case Notify(notify=notify):
            return notify not in (NotifyType.REDIRECT, NotifyType.REDIRECTED_FROM)
        case Certificate(encoding=encoding):
            return encoding not in (4, 7)
        case TsI(unknown=unknown) | TsR(unknown=unknown):
            return not unknown
        case Delete(spis=spis):
            return bool(spis)
        case UnknownPayload(kind=kind):
            return kind not in (2, 3)  # it takes IKEv1's numbers of proposals and transforms for payloads of their own
        case _:
            return True


def compare(ours: Payload, theirs: Any) -> None:
    assert bool(theirs.flags.critical) == ours.critical
    match ours:
        case SecurityAssociation(proposals=proposals):
            compare_proposals(proposals, theirs.prop)
        case KeyExchange(method=method, data=data):
            assert (theirs.group, theirs.ke) == (method, data)
        case Nonce(data=data):
            assert theirs.nonce == data
        case Notify(notify=notify, data=data, protocol=protocol, spi=spi):
            assert (theirs.type, theirs.notify, theirs.proto, theirs.SPI) == (notify, data, protocol, spi)
        case Delete(protocol=protocol, spis=spis):
            assert (theirs.proto, tuple(theirs.SPI)) == (protocol, spis)
        case IdI(identity=identity) | IdR(identity=identity):
            assert theirs.IDtype == identity.type
            assert bytes(theirs)[8 : theirs.length] == identity.value
        case TsI(selectors=selectors) | TsR(selectors=selectors):
            assert [described(s) for s in theirs.traffic_selector] == [
                (s.protocol, s.start_port, s.end_port, s.start, s.end) for s in selectors
            ]
        case Authentication(method=method, data=data):
            assert (theirs.auth_type, theirs.load) == (method, data)
        case Certificate(encoding=encoding, data=data):
            assert (theirs.cert_encoding, theirs.cert_data) == (encoding, data)
        case CertificateRequest(encoding=encoding, authorities=authorities):
            assert (theirs.cert_encoding, theirs.cert_authority) == (encoding, authorities)
        case VendorId(data=data):
            assert theirs.vendorID == data
        case Configuration(kind=kind, attributes=attributes):
            assert theirs.CFGType == kind
            assert [(a.type, a.length) for a in theirs.attributes] == [(name, len(value)) for name, value in attributes]
        case EncryptedFragment(number=number, total=total, body=body):
            assert (theirs.frag_number, theirs.frag_total, theirs.load) == (number, total, body)


def compare_proposals(proposals: Any, theirs: Any) -> None:
    for proposal in proposals:
        assert (theirs.proposal, theirs.proto, theirs.SPI) == (proposal.number, proposal.protocol, proposal.spi)
        assert theirs.trans_nb == len(proposal.transforms)
        transform = theirs.trans
        for ours in proposal.transforms:
            assert (transform.transform_type, transform.transform_id) == (ours.type, ours.id)
            assert transform.key_length == ours.key_bits
            transform = transform.payload
        theirs = theirs.payload


def described(selector: Any) -> tuple[int, int, int, Address, Address]:
    version = "v4" if selector.TS_type == 7 else "v6"
    start, end = getattr(selector, f"starting_address_{version}"), getattr(selector, f"ending_address_{version}")
    return selector.IP_protocol_ID, selector.start_port, selector.end_port, ip_address(start), ip_address(end)


def compare_messages(octets: bytes) -> None:
    ours, theirs = decode(octets), scapy.IKEv2(octets)
    assert (theirs.init_SPI, theirs.resp_SPI) == (ours.header.initiator_spi, ours.header.responder_spi)
    assert (theirs.exch_type, theirs.id, theirs.length) == (ours.header.exchange, ours.header.message_id, len(octets))
    assert bool(theirs.flags.Initiator) == ours.header.initiator
    assert bool(theirs.flags.Response) == ours.header.response
    found = layers(theirs)
    assert len(found) >= len(ours.payloads)
    for payload, layer in zip(ours.payloads, found, strict=False):
        compare(payload, layer)


@pytest.mark.parametrize("name", MESSAGES)
def test_captured_messages_mean_the_same_to_both(name: str) -> None:
    compare_messages(captured(name))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(headers, st.lists(payloads.filter(readable_by_scapy), min_size=1, max_size=3))
def test_what_we_write_means_the_same_to_both(header: Header, chain: list[Payload]) -> None:
    compare_messages(encode(header, chain))


def test_what_scapy_writes_is_read() -> None:
    transforms = scapy.IKEv2_Transform(
        transform_type=1, transform_id=20, length=12, key_length=256, next_payload=3
    ) / scapy.IKEv2_Transform(transform_type=4, transform_id=31)
    octets = bytes(
        scapy.IKEv2(init_SPI=b"initiate", exch_type=34, flags="Initiator")
        / scapy.IKEv2_SA(prop=scapy.IKEv2_Proposal(trans_nb=2, trans=transforms))
        / scapy.IKEv2_KE(group=31, ke=bytes(32))
        / scapy.IKEv2_Nonce(nonce=bytes(32))
        / scapy.IKEv2_Notify(type=16388, notify=bytes(20))
        / scapy.IKEv2_TSi(
            traffic_selector=[
                scapy.IPv4TrafficSelector(IP_protocol_ID=0),
                scapy.IPv6TrafficSelector(IP_protocol_ID=0, length=40),
            ]
        )
    )
    read = decode(octets)
    kinds = [PayloadType.SA, PayloadType.KE, PayloadType.NONCE, PayloadType.NOTIFY, PayloadType.TSI]
    assert [payload.type for payload in read.payloads] == kinds
    sa, *_, selectors = read.payloads
    assert isinstance(sa, SecurityAssociation)
    assert str(sa.proposals[0]) == "aes-256-gcm/group31"
    assert isinstance(selectors, TsI)
    assert [str(selector) for selector in selectors.selectors] == ["192.168.0.1-192.168.0.255", "2001::/128"]
    assert encode(read.header, read.payloads) == octets


@given(sealed)
def test_sealed_payloads_have_the_same_bounds_for_both(payload: Payload) -> None:
    header = decode(captured("message-strongswan-auth-request")).header
    octets = encode(header, (payload,))
    (layer, *_) = layers(scapy.IKEv2(octets))
    assert layer.length == len(octets) - 28
    compare(payload, layer)
