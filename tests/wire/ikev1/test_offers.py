"""What SA payloads of version 1 mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isthmus.model import algorithms
from isthmus.model.proposal import Proposal, Protocol, Transform, TransformType
from isthmus.wire.ikev1.message import decode_payloads, encode_payloads
from isthmus.wire.ikev1.offers import Duration, phase1_offers, phase1_sa, phase2_offers, phase2_sa
from isthmus.wire.ikev1.payloads import SecurityAssociation
from isthmus.wire.ikev1.registry import (
    AuthenticationMethod,
    EncapsulationMode,
    IpsecAttribute,
    IsakmpAttribute,
    LifeType,
)
from isthmus.wire.ikev1.security_association import Attribute, ProposalV1, TransformV1

PSK = AuthenticationMethod.PRE_SHARED_KEY


def there_and_back(sa: SecurityAssociation) -> SecurityAssociation:
    first, chain = encode_payloads([sa])
    (read,) = decode_payloads(first, chain).payloads
    assert isinstance(read, SecurityAssociation)
    return read


def ike(ciphers: list[str], hashes: list[str], groups: list[str]) -> Proposal:
    rows = [algorithms.ENCRYPTION_BY_NAME[name] for name in ciphers]
    return Proposal(
        Protocol.IKE,
        (
            *(Transform(TransformType.ENCR, row.ikev2, row.key_bits) for row in rows),
            *(Transform(TransformType.PRF, algorithms.PRF_BY_NAME[name].ikev2) for name in hashes),
            *(Transform(TransformType.INTEG, algorithms.INTEGRITY_BY_NAME[name].ikev2) for name in hashes),
            *(Transform(TransformType.KE, algorithms.KEY_EXCHANGE_BY_NAME[name].ikev2) for name in groups),
        ),
    )


def esp(ciphers: list[str], hashes: list[str], *groups: str) -> Proposal:
    rows = [algorithms.ENCRYPTION_BY_NAME[name] for name in ciphers]
    return Proposal(
        Protocol.ESP,
        (
            *(Transform(TransformType.ENCR, row.ikev2, row.key_bits) for row in rows),
            *(Transform(TransformType.INTEG, algorithms.INTEGRITY_BY_NAME[name].ikev2) for name in hashes),
            *(Transform(TransformType.KE, algorithms.KEY_EXCHANGE_BY_NAME[name].ikev2) for name in groups),
            Transform(TransformType.SN, 0),
        ),
    )


def test_phase_1_offers_every_combination_best_first() -> None:
    sa = phase1_sa([ike(["aes-256-cbc", "3des"], ["sha256", "md5"], ["group14", "group2"])], 28800, PSK)
    offers = phase1_offers(there_and_back(sa))
    assert [str(offer.proposal) for offer in offers] == [
        f"{cipher}/prf-{digest}/{digest}/{group}"
        for cipher in ("aes-256-cbc", "3des")
        for digest in ("sha256", "md5")
        for group in ("group14", "group2")
    ]
    assert {offer.authentication for offer in offers} == {PSK}
    assert {offer.duration for offer in offers} == {Duration(28800)}


def test_phase_1_leaves_out_what_version_1_does_not_have() -> None:
    sa = phase1_sa([ike(["aes-256-gcm", "aes-128-cbc"], ["sha256"], ["ml-kem-768", "group14"])], 3600, PSK)
    assert [str(o.proposal) for o in phase1_offers(sa)] == ["aes-128-cbc/prf-sha256/sha256/group14"]


def test_aggressive_mode_offers_the_one_group_that_its_public_value_is_of() -> None:
    sa = phase1_sa([ike(["3des"], ["sha1"], ["group14", "group2"])], 3600, PSK, only_group=14)
    assert [str(o.proposal) for o in phase1_offers(sa)] == ["3des/prf-sha1/sha1/group14"]


@pytest.mark.parametrize("cipher", [row.name for row in algorithms.ENCRYPTION if row.ikev1_esp is not None])
def test_every_esp_cipher_is_understood_as_it_was_meant(cipher: str) -> None:
    row = algorithms.ENCRYPTION_BY_NAME[cipher]
    proposal = esp([cipher], [] if row.aead else ["sha1", "sha256", "sha384", "sha512", "md5"], "group14")
    sa = phase2_sa([proposal], Duration(3600, 5000), EncapsulationMode.TUNNEL, b"spi!")
    offers = phase2_offers(there_and_back(sa))
    assert [o.proposal.of(TransformType.ENCR) for o in offers] == [proposal.of(TransformType.ENCR)] * len(offers)
    assert [t for o in offers for t in o.proposal.of(TransformType.INTEG)] == list(proposal.of(TransformType.INTEG))
    assert {o.duration for o in offers} == {Duration(3600, 5000)}
    assert {o.mode for o in offers} == {EncapsulationMode.TUNNEL}
    assert {o.proposal.spi for o in offers} == {b"spi!"}


def test_an_answer_is_what_was_offered_attribute_by_attribute() -> None:
    odd = (
        Attribute(IpsecAttribute.LIFE_DURATION, (3600).to_bytes(8, "big"), basic=False),
        Attribute.of(0x4ABC, 7),
        Attribute.of(IpsecAttribute.AUTHENTICATION_ALGORITHM, 2),
        Attribute.of(IpsecAttribute.ENCAPSULATION_MODE, 1),
        Attribute.of(IpsecAttribute.KEY_LENGTH, 128),
    )
    offered = SecurityAssociation((ProposalV1(3, Protocol.ESP, b"them", (TransformV1(9, 12, odd),)),))
    (offer,) = phase2_offers(there_and_back(offered))
    assert offer.duration == Duration(3600)
    assert str(offer.proposal) == "aes-128-cbc/sha1/no-esn"
    assert offer.answer(b"ours") == SecurityAssociation(
        (ProposalV1(3, Protocol.ESP, b"ours", (TransformV1(9, 12, odd),)),)
    )


def test_bundles_are_passed_over() -> None:
    transform = TransformV1(1, 12, (Attribute.of(IpsecAttribute.KEY_LENGTH, 128),))
    both = SecurityAssociation(
        (
            ProposalV1(1, Protocol.AH, b"ahah", (transform,)),
            ProposalV1(1, Protocol.ESP, b"espe", (transform,)),
            ProposalV1(2, Protocol.ESP, b"alon", (transform,)),
        )
    )
    assert [o.proposal.spi for o in phase2_offers(both)] == [b"alon"]


def test_what_we_have_no_name_for_is_shown_and_matches_nothing() -> None:
    strange = (
        Attribute.of(IsakmpAttribute.ENCRYPTION_ALGORITHM, 3),
        Attribute.of(IsakmpAttribute.HASH_ALGORITHM, 3),
        Attribute.of(IsakmpAttribute.GROUP_DESCRIPTION, 3),
        Attribute.of(IsakmpAttribute.AUTHENTICATION_METHOD, 65001),
        Attribute.of(IsakmpAttribute.LIFE_TYPE, LifeType.KILOBYTES),
        Attribute.of(IsakmpAttribute.LIFE_DURATION, 1 << 40),
    )
    sa = SecurityAssociation((ProposalV1(1, Protocol.IKE, b"", (TransformV1(1, 1, strange),)),))
    (offer,) = phase1_offers(there_and_back(sa))
    everything = ike(list(algorithms.ENCRYPTION_BY_NAME), list(algorithms.PRF_BY_NAME), ["group14"])
    assert not set(everything.transforms) & set(offer.proposal.transforms)
    assert offer.authentication == AuthenticationMethod.XAUTH_INIT_PRE_SHARED
    assert offer.duration == Duration(None, 1 << 40)


def test_ah_is_understood_as_it_was_meant() -> None:
    transforms = tuple(Transform(TransformType.INTEG, row.ikev2) for row in algorithms.INTEGRITY)
    proposal = Proposal(Protocol.AH, (*transforms, Transform(TransformType.SN, 0)))
    sa = phase2_sa([proposal], Duration(3600), EncapsulationMode.TRANSPORT, b"spi!")
    # RFC 2407, 4.4.3: the transform says it, and the authentication algorithm says it again.
    numbers = [transform.id for transform in there_and_back(sa).proposals[0].transforms]
    assert numbers == [row.ah for row in algorithms.INTEGRITY]
    offers = phase2_offers(there_and_back(sa))
    assert [t for o in offers for t in o.proposal.of(TransformType.INTEG)] == list(transforms)
    assert {(o.proposal.protocol, o.mode) for o in offers} == {(Protocol.AH, EncapsulationMode.TRANSPORT)}


def test_no_authentication_is_offered_beside_some() -> None:
    bare = Transform(TransformType.INTEG, algorithms.NO_INTEGRITY)
    proposal = esp(["aes-128-cbc"], ["sha256"])
    proposal = replace(proposal, transforms=(*proposal.transforms, bare))
    offers = phase2_offers(there_and_back(phase2_sa([proposal], Duration(3600), EncapsulationMode.TUNNEL, b"spi!")))
    assert [len(o.proposal.of(TransformType.INTEG)) for o in offers] == [1, 0]
