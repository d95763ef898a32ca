from __future__ import annotations

import pytest

from isthmus.model.proposal import Proposal, Protocol, Transform, TransformType
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.message import decode, decode_payloads, encode_payloads
from isthmus.wire.ikev2.payloads import SecurityAssociation
from isthmus.wire.ikev2.security_association import MAX_ATTRIBUTES, MAX_PROPOSALS, MAX_TRANSFORMS
from isthmus.wire.registry import PayloadType
from tests.wire.octets import captured

AES = "0300000c01000014800e0100"  # a transform that is followed by another
LAST_AES = "00" + AES[2:]
CURVE = "000000080400001f"


def proposal(
    *transforms: str, marker: int = 0, count: int | None = None, spi: str = "", length: int | None = None
) -> str:
    content = spi + "".join(transforms)
    size = 8 + len(content) // 2 if length is None else length
    number = len(transforms) if count is None else count
    return f"{marker:02x}00{size:04x}0101{len(spi) // 2:02x}{number:02x}{content}"


def read(body: str) -> SecurityAssociation:
    octets = bytes.fromhex(body)
    (payload,) = decode_payloads(PayloadType.SA, b"\x00\x00" + (4 + len(octets)).to_bytes(2, "big") + octets)
    assert isinstance(payload, SecurityAssociation)
    return payload


def refused(body: str) -> WireError:
    with pytest.raises(WireError) as caught:
        read(body)
    return caught.value


def test_the_offer_of_another_implementation_is_read() -> None:
    # IKE_SA_INIT request 0 { SAi1, KEi(group31), Ni, ... }
    payload = decode(captured("message-strongswan-init-request")).payloads[0]
    assert isinstance(payload, SecurityAssociation)
    assert [str(offered) for offered in payload.proposals] == [
        "aes-256-gcm,aes-128-gcm/prf-sha384/group31,group20,group14",
        "aes-256-cbc,aes-128-cbc/sha256,sha1/prf-sha256,prf-sha1/group14,group2",
    ]
    assert [offered.number for offered in payload.proposals] == [1, 2]


def test_an_spi_and_a_key_length_are_read() -> None:
    (offered,) = read(proposal(AES, CURVE, spi="c94d2f01")).proposals
    assert offered == Proposal(
        Protocol.IKE,
        (Transform(TransformType.ENCR, 20, 256), Transform(TransformType.KE, 31)),
        bytes.fromhex("c94d2f01"),
        1,
    )


def test_a_transform_that_we_do_not_speak_is_kept() -> None:
    (offered,) = read(proposal("000000104d000005" + "80120102" + "00130000")).proposals
    transform = Transform(TransformType(77), 5, None, ((0x8012, b"\x01\x02"), (0x0013, b"")))
    assert offered.transforms == (transform,)
    assert encode_payloads((SecurityAssociation((offered,)),))[1][4:].hex() == proposal(
        "000000104d000005" + "80120102" + "00130000"
    )


def test_a_key_length_in_the_long_form_or_a_second_one_is_none_that_matches() -> None:
    (offered,) = read(proposal("0000000e01000014" + "000e00020100")).proposals
    assert offered.transforms == (Transform(TransformType.ENCR, 20, None, ((0x000E, b"\x01\x00"),)),)
    (offered,) = read(proposal("0000001001000014" + "800e0100" + "800e0080")).proposals
    assert offered.transforms == (Transform(TransformType.ENCR, 20, 256, ((0x800E, b"\x00\x80"),)),)


def test_reserved_octets_of_a_transform_are_ignored() -> None:
    assert read(proposal("00ff000c01ff0014800e0100")) == read(proposal(LAST_AES))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "SA.proposal"),
        (proposal(LAST_AES)[:-2], "SA.proposal length"),
        (proposal(LAST_AES, length=7), "SA.proposal length"),
        (proposal(LAST_AES, length=0), "SA.proposal length"),
        (proposal(LAST_AES, length=0xFFFF), "SA.proposal length"),
        (proposal(LAST_AES, marker=2), "SA.proposal"),
        (proposal(LAST_AES, marker=1), "SA.last substructure"),
        (proposal(LAST_AES) * 2, "SA.body"),
        (proposal(count=0), "SA.number of transforms"),
        (proposal(LAST_AES, count=0), "SA.number of transforms"),
        (proposal(LAST_AES, count=2), "SA.last substructure"),
        (proposal(AES, CURVE, count=1), "SA.last substructure"),
        (proposal(AES), "SA.last substructure"),
        (proposal(LAST_AES + "00", count=1), "SA.proposal length"),
        (proposal("02" + LAST_AES[2:]), "SA.last substructure"),
        (proposal("00000007010000"), "SA.transform ID"),
        (proposal("0000000301000014"), "SA.transform length"),
        (proposal("0000ffff01000014"), "SA.transform length"),
        (proposal("0000000a01000014800e"), "SA.attribute"),
        (proposal("0000000e01000014" + "001300030102"), "SA.attribute value"),
        ("00000008010109010102030405060708", "SA.SPI"),
    ],
)
def test_a_malformed_offer_is_refused_where_it_is_wrong(body: str, field: str) -> None:
    assert refused(body).field == field


def test_too_many_proposals_transforms_and_attributes_are_refused() -> None:
    assert len(read(proposal(LAST_AES, marker=2) * (MAX_PROPOSALS - 1) + proposal(LAST_AES)).proposals) == MAX_PROPOSALS
    assert refused(proposal(LAST_AES, marker=2) * MAX_PROPOSALS + proposal(LAST_AES)).field == "SA.proposals"
    assert len(read(proposal(*[AES] * (MAX_TRANSFORMS - 1), LAST_AES)).proposals[0].transforms) == MAX_TRANSFORMS
    assert refused(proposal(*[AES] * MAX_TRANSFORMS, LAST_AES)).field == "SA.number of transforms"
    attributes = "80120000" * (MAX_ATTRIBUTES + 1)
    assert refused(proposal(f"0000{8 + len(attributes) // 2:04x}01000014{attributes}")).field == "SA.attributes"


def test_what_we_speak_is_shared_rather_than_built_anew() -> None:
    one, other = read(proposal(AES, CURVE)).proposals[0], read(proposal(AES, CURVE)).proposals[0]
    assert all(a is b for a, b in zip(one.transforms, other.transforms, strict=True))
