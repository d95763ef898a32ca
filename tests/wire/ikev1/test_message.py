"""Messages of IKE version 1: what is written is read, unknown values survive, and what is wrong says where."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.model.identity import IdType
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import IkeSpi, MessageId
from isthmus.wire.errors import WireError
from isthmus.wire.ikev1.header import Header
from isthmus.wire.ikev1.message import MAX_PAYLOADS, decode, decode_payloads, encode, encode_payloads
from isthmus.wire.ikev1.payloads import (
    READABLE,
    CertificatePayload,
    CertificateRequest,
    Delete,
    Fragment,
    Hash,
    Identification,
    KeyExchange,
    NatD,
    NatDDraft,
    NatOa,
    Nonce,
    Notify,
    Payload,
    SecurityAssociation,
    Signature,
    UnknownPayload,
    VendorId,
)
from isthmus.wire.ikev1.registry import NotifyType, PayloadType
from isthmus.wire.ikev1.security_association import (
    MAX_ATTRIBUTES,
    MAX_PROPOSALS,
    Attribute,
    ProposalV1,
    TransformV1,
)
from isthmus.wire.registry import CertificateEncoding, ExchangeTypeV1

u8, u16, u32 = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
octets = st.binary(max_size=40)
spis = st.binary(min_size=1, max_size=16)

attributes = st.builds(
    lambda kind, value, basic: Attribute(kind, value[:2].ljust(2, b"\0") if basic else value, basic=basic),
    st.integers(0, 0x7FFF),
    octets,
    st.booleans(),
)
transforms = st.builds(TransformV1, u8, u8, st.lists(attributes, max_size=MAX_ATTRIBUTES).map(tuple))
proposals = st.builds(
    ProposalV1,
    u8,
    u8.map(Protocol.of),
    st.binary(max_size=16),
    st.lists(transforms, min_size=1, max_size=5).map(tuple),
)
known = st.one_of(
    st.builds(SecurityAssociation, st.lists(proposals, min_size=1, max_size=4).map(tuple)),
    *(st.builds(kind, octets) for kind in (KeyExchange, Hash, Signature, Nonce, VendorId, NatD, NatDDraft)),
    st.builds(Identification, u8.map(IdType.of), u8, u16, octets),
    st.builds(CertificatePayload, u8.map(CertificateEncoding.of), octets),
    st.builds(CertificateRequest, u8.map(CertificateEncoding.of), octets),
    st.builds(NatOa, u8.map(IdType.of), octets),
    st.builds(Fragment, u16, u8, u8, octets),
    st.builds(Notify, u16.map(NotifyType.of), octets, u8.map(Protocol.of), st.binary(max_size=16), u32),
    st.integers(1, 16).flatmap(
        lambda size: st.builds(
            Delete, u8.map(Protocol.of), st.lists(st.binary(min_size=size, max_size=size), max_size=5).map(tuple), u32
        ).filter(lambda delete: bool(delete.spis))
    ),
)
_READ = {int(payload.type) for payload in READABLE} | {0}
unknown = st.builds(UnknownPayload, u8.filter(lambda kind: kind not in _READ).map(PayloadType.of), octets)
chains = st.lists(st.one_of(known, unknown), max_size=8)
headers = st.builds(
    Header,
    st.binary(min_size=8, max_size=8).filter(any).map(IkeSpi),
    st.binary(min_size=8, max_size=8).map(IkeSpi),
    u8.map(ExchangeTypeV1.of),
    u32.map(MessageId),
    commit=st.booleans(),
    authentication_only=st.booleans(),
)
HEADER = Header(IkeSpi(b"initiate"), IkeSpi(b"respond."), ExchangeTypeV1.IDENTITY_PROTECTION, MessageId(0))


@given(headers, chains)
def test_what_is_written_is_read(header: Header, payloads: list[Payload]) -> None:
    read = decode(encode(header, payloads))
    assert read.chain.payloads == tuple(payloads)
    assert (read.header.initiator_spi, read.header.responder_spi) == (header.initiator_spi, header.responder_spi)
    assert (read.header.exchange, read.header.message_id) == (header.exchange, header.message_id)
    assert (read.header.commit, read.header.authentication_only) == (header.commit, header.authentication_only)
    assert encode(read.header, read.chain.payloads) == read.octets


@given(chains.filter(bool), st.binary(max_size=16))
def test_padding_behind_what_was_decrypted_is_no_part_of_the_hash(payloads: list[Payload], padding: bytes) -> None:
    first, chain = encode_payloads(payloads)
    read = decode_payloads(first, chain + padding)
    assert read.payloads == tuple(payloads)
    hashed = chain[read.spans[0][1] :]
    assert read.after_first == hashed
    assert read.body(payloads[0].type) == payloads[0].write()


@given(st.binary(max_size=200), u8)
def test_any_octets_are_a_chain_or_a_wire_error(chain: bytes, first: int) -> None:
    with contextlib.suppress(WireError):
        read = decode_payloads(PayloadType.of(first), chain)
        assert all(start < stop <= len(chain) for start, stop in read.spans)


@given(chains.filter(bool), st.data())
def test_a_damaged_message_is_a_message_or_a_wire_error(payloads: list[Payload], data: st.DataObject) -> None:
    whole = bytearray(encode(HEADER, payloads))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(WireError):
        assert decode(bytes(whole)).octets == bytes(whole)


def test_an_encrypted_message_stays_closed() -> None:
    header = Header(*HEADER_SPIS, ExchangeTypeV1.QUICK_MODE, MessageId(7), encrypted=True)
    sealed = encode(header, [])[:24] + (28 + 16).to_bytes(4, "big") + bytes(16)
    read = decode(sealed)
    assert read.chain.payloads == ()
    assert read.body == bytes(16)


HEADER_SPIS = IkeSpi(b"initiate"), IkeSpi(b"respond.")


@pytest.mark.parametrize("length", [0, 27, 28 + 3, 100])
def test_a_length_other_than_the_datagrams_is_refused(length: int) -> None:
    whole = encode(HEADER, [Nonce(b"n" * 16)])
    with pytest.raises(WireError) as caught:
        decode(whole[:24] + length.to_bytes(4, "big") + whole[28:])
    assert caught.value.field == "length"


@pytest.mark.parametrize("length", [0, 1, 3, 0xFFFF])
def test_a_payload_that_is_shorter_than_its_header_or_longer_than_the_message_is_refused(length: int) -> None:
    whole = encode(HEADER, [Nonce(b"n" * 16)])
    with pytest.raises(WireError) as caught:
        decode(whole[:30] + length.to_bytes(2, "big") + whole[32:])
    assert caught.value.field == "NONCE.length"


def test_endless_chains_end() -> None:
    with pytest.raises(WireError, match="more than"):
        decode(encode(HEADER, [VendorId(b"v")] * (MAX_PAYLOADS + 1)))


def test_endless_proposals_end() -> None:
    proposal = ProposalV1(1, Protocol.IKE, b"", (TransformV1(1, 1, ()),))
    with pytest.raises(WireError, match="more than"):
        decode(encode(HEADER, [SecurityAssociation((proposal,) * (MAX_PROPOSALS + 1))]))


def test_endless_attributes_end() -> None:
    transform = TransformV1(1, 1, (Attribute.of(1, 1),) * (MAX_ATTRIBUTES + 1))
    with pytest.raises(WireError, match="more than"):
        decode(encode(HEADER, [SecurityAssociation((ProposalV1(1, Protocol.IKE, b"", (transform,)),))]))


@pytest.mark.parametrize(("size", "count"), [(0, 1), (0, 65535), (17, 1), (4, 2), (4, 0)])
def test_a_delete_that_miscounts_is_refused(size: int, count: int) -> None:
    body = bytes([0, 0, 0, 1, 3, size]) + count.to_bytes(2, "big") + b"spi!"
    with pytest.raises(WireError):
        decode_payloads(PayloadType.DELETE, bytes([0, 0]) + (4 + len(body)).to_bytes(2, "big") + body)


@pytest.mark.parametrize(("doi", "situation"), [(0, 1), (2, 1), (1, 0), (1, 2), (1, 5)])
def test_another_doi_or_situation_is_refused(doi: int, situation: int) -> None:
    whole = encode(HEADER, [SecurityAssociation((), doi, situation)])
    with pytest.raises(WireError):
        decode(whole)
