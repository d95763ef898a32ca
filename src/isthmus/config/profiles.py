"""The profiles that are there without being written. One that is written under the same name takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TypeVar

from isthmus.config.schema.crypto_profiles import IkeCryptoProfile, IpsecCryptoProfile

T = TypeVar("T")

_SPELLINGS = {"suite-b-gcm-128": "Suite-B-GCM-128", "suite-b-gcm-256": "Suite-B-GCM-256"}
"""The Suite B profiles answer to the reference product's spelling too."""


@cache
def built_in_ike() -> Mapping[str, IkeCryptoProfile]:
    return _with_spellings(
        {
            "default": _ike("aes-256-gcm aes-128-gcm aes-256-cbc", "sha384 sha256", "group31 group20 group19 group14"),
            "legacy-default": _ike("aes-128-cbc 3des", "sha1", "group2"),
            "suite-b-gcm-128": _ike("aes-128-cbc", "sha256", "group19"),  # RFC 6379, 3.1
            "suite-b-gcm-256": _ike("aes-256-cbc", "sha384", "group20"),  # RFC 6379, 3.2
        }
    )


@cache
def built_in_ipsec() -> Mapping[str, IpsecCryptoProfile]:
    return _with_spellings(
        {
            "default": _ipsec("aes-256-gcm aes-128-gcm aes-256-cbc", "sha384 sha256", "group20"),
            "legacy-default": _ipsec("aes-128-cbc 3des", "sha1", "group2"),
            "suite-b-gcm-128": _ipsec("aes-128-gcm", "none", "group19"),
            "suite-b-gcm-256": _ipsec("aes-256-gcm", "none", "group20"),
        }
    )


@cache
def built_in_names() -> Mapping[str, frozenset[str]]:
    """What references may name without an entry, by section."""
    return {
        "ike-crypto-profiles": frozenset(built_in_ike()),
        "ipsec-crypto-profiles": frozenset(built_in_ipsec()),
        "monitor-profiles": frozenset({"default"}),
        "virtual-routers": frozenset({"default"}),
    }


def _ike(encryption: str, hashes: str, groups: str) -> IkeCryptoProfile:
    return IkeCryptoProfile.model_validate(
        {"encryption": encryption.split(), "hash": hashes.split(), "dh-group": groups.split()}
    )


def _ipsec(encryption: str, authentication: str, group: str) -> IpsecCryptoProfile:
    esp = {"encryption": encryption.split(), "authentication": authentication.split()}
    return IpsecCryptoProfile.model_validate({"esp": esp, "dh-group": group})


def _with_spellings(profiles: Mapping[str, T]) -> Mapping[str, T]:
    return {**profiles, **{other: profiles[name] for name, other in _SPELLINGS.items()}}
