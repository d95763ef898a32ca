"""Profiles to proposals."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.config.profiles import built_in_ike, built_in_ipsec
from isthmus.config.proposals import ike_proposals, ipsec_proposals
from isthmus.config.schema.crypto_profiles import IkeCryptoProfile, IpsecCryptoProfile
from isthmus.model.proposal import Protocol, TransformType
from isthmus.model.quantities import Seconds


def _ike(encryption: str, hashes: str, groups: str, **more: Any) -> list[str]:
    words = {"encryption": encryption.split(), "hash": hashes.split(), "dh-group": groups.split(), **more}
    return [str(proposal) for proposal in ike_proposals(IkeCryptoProfile.model_validate(words))]


def _esp(encryption: str, authentication: str, group: str, **more: Any) -> list[str]:
    esp = {"encryption": encryption.split(), "authentication": authentication.split()}
    profile = IpsecCryptoProfile.model_validate({"esp": esp, "dh-group": group, **more})
    return [str(proposal) for proposal in ipsec_proposals(profile)]


def test_a_cipher_without_integrity_gets_prf_and_integrity_of_each_hash() -> None:
    assert _ike("aes-256-cbc 3des", "sha384 sha1", "group14 group2") == [
        "aes-256-cbc,3des/prf-sha384,prf-sha1/sha384,sha1/group14,group2"
    ]


def test_an_aead_has_no_integrity() -> None:
    assert _ike("aes-256-gcm chacha20-poly1305", "sha384", "group31") == [
        "aes-256-gcm,chacha20-poly1305/prf-sha384/group31"
    ]


def test_aead_and_others_make_two_proposals_the_kind_of_the_first_cipher_first() -> None:
    gcm, cbc = "aes-256-gcm,aes-128-gcm/prf-sha256/group31", "aes-256-cbc,aes-128-cbc/prf-sha256/sha256/group31"
    assert _ike("aes-256-gcm aes-256-cbc aes-128-gcm aes-128-cbc", "sha256", "group31") == [gcm, cbc]
    assert _ike("aes-256-cbc aes-256-gcm aes-128-gcm aes-128-cbc", "sha256", "group31") == [cbc, gcm]


@pytest.mark.parametrize(
    ("groups", "prfs"),
    [
        ("group19", "prf-sha256"),
        ("group20", "prf-sha384"),
        ("group21 group14", "prf-sha384,prf-sha256"),
        ("group31 group2", "prf-sha256"),
    ],
)
def test_non_auth_takes_the_prf_that_suits_the_group(groups: str, prfs: str) -> None:
    assert _ike("aes-256-gcm", "non-auth", groups) == [f"aes-256-gcm/{prfs}/{groups.replace(' ', ',')}"]


def test_non_auth_is_not_for_the_ciphers_that_need_a_hash() -> None:
    assert _ike("aes-256-gcm aes-256-cbc", "non-auth sha512", "group19") == [
        "aes-256-gcm/prf-sha256,prf-sha512/group19",
        "aes-256-cbc/prf-sha512/sha512/group19",
    ]


def test_key_lengths_stand_where_the_rfc_has_them() -> None:
    (proposal,) = ike_proposals(
        IkeCryptoProfile.model_validate(
            {"encryption": ["aes-192-gcm", "chacha20-poly1305"], "hash": ["sha256"], "dh-group": ["group14"]}
        )
    )
    assert [(t.id, t.key_bits) for t in proposal.of(TransformType.ENCR)] == [(20, 192), (28, None)]


def test_esp_carries_the_group_of_pfs_and_both_kinds_of_sequence_number() -> None:
    assert _esp("aes-256-gcm", "none", "group20") == ["aes-256-gcm/group20/esn,no-esn"]
    assert _esp("aes-128-cbc null", "sha256 sha1", "group14") == ["aes-128-cbc,null/sha256,sha1/group14/esn,no-esn"]


def test_no_pfs_leaves_the_key_exchange_out() -> None:
    assert _esp("aes-256-gcm", "none", "no-pfs") == ["aes-256-gcm/esn,no-esn"]


def test_esp_with_both_kinds_of_cipher_makes_two_proposals() -> None:
    assert _esp("aes-256-cbc aes-256-gcm", "none sha256", "no-pfs") == [
        "aes-256-cbc/sha256/esn,no-esn",
        "aes-256-gcm/esn,no-esn",
    ]


def test_additional_key_exchanges_follow_in_their_rounds() -> None:
    rounds = [["ml-kem-768", "ml-kem-1024"], ["group14"]]
    (proposal,) = ike_proposals(
        IkeCryptoProfile.model_validate(
            {
                "encryption": ["aes-256-gcm"],
                "hash": ["sha384"],
                "dh-group": ["group31"],
                "additional-key-exchange": rounds,
            }
        )
    )
    assert [t.id for t in proposal.of(TransformType.ADDKE1)] == [36, 37]
    assert [t.id for t in proposal.of(TransformType.ADDKE2)] == [14]
    assert _esp("aes-256-gcm", "none", "group31", **{"additional-key-exchange": [["ml-kem-768"]]}) == [
        "aes-256-gcm/group31/esn,no-esn/ml-kem-768"
    ]


def test_ah_has_integrity_alone() -> None:
    profile = IpsecCryptoProfile.model_validate({"ah": {"authentication": ["sha256"]}, "dh-group": "group14"})
    (proposal,) = ipsec_proposals(profile)
    assert proposal.protocol == Protocol.AH
    assert str(proposal) == "sha256/group14/esn,no-esn"


def test_proposals_are_numbered_from_one() -> None:
    profile = built_in_ike()["default"]
    assert [proposal.number for proposal in ike_proposals(profile)] == [1, 2]


@pytest.mark.parametrize("name", built_in_ike())
def test_every_built_in_ike_profile_gives_whole_proposals(name: str) -> None:
    for proposal in ike_proposals(built_in_ike()[name]):
        assert {TransformType.ENCR, TransformType.PRF, TransformType.KE} <= set(proposal.types)


def test_the_legacy_profiles_are_the_factory_profiles_of_the_reference_product() -> None:
    legacy = built_in_ike()["legacy-default"], built_in_ipsec()["legacy-default"]
    assert [str(p) for p in ike_proposals(legacy[0])] == ["aes-128-cbc,3des/prf-sha1/sha1/group2"]
    assert [str(p) for p in ipsec_proposals(legacy[1])] == ["aes-128-cbc,3des/sha1/group2/esn,no-esn"]
    assert (legacy[0].lifetime, legacy[1].lifetime) == (Seconds(8 * 3600.0), Seconds(3600.0))


@pytest.mark.parametrize(
    ("encryption", "authentication", "offered"),
    [
        ("aes-256-cbc", "none", ["aes-256-cbc/esn,no-esn"]),
        ("aes-256-cbc", "sha256 none", ["aes-256-cbc/sha256,none/esn,no-esn"]),
        ("aes-256-gcm aes-256-cbc", "none sha256", ["aes-256-gcm/esn,no-esn", "aes-256-cbc/sha256/esn,no-esn"]),
    ],
)
def test_none_is_for_the_aead_where_there_is_one(encryption: str, authentication: str, offered: list[str]) -> None:
    assert _esp(encryption, authentication, "no-pfs") == offered
