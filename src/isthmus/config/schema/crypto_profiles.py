"""`ike-crypto-profiles:` and `ipsec-crypto-profiles:` what we offer and accept, best first."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from isthmus.config.schema.noun import Distinct, Given, Mapped, Noun, exactly_one
from isthmus.config.values.quantities import Duration, Size, Whole
from isthmus.config.values.words import OneOf
from isthmus.model import algorithms
from isthmus.model.algorithms import KeFamily
from isthmus.model.quantities import Seconds

NON_AUTH = "non-auth"
NO_AUTHENTICATION = "none"
NO_PFS = "no-pfs"
NO_EXCHANGE = "none"

_GROUPS = tuple(row.name for row in algorithms.KEY_EXCHANGE if row.family is not KeFamily.KEM)
_EXCHANGES = tuple(row.name for row in algorithms.KEY_EXCHANGE)

IkeCipher = Annotated[str, OneOf((row.name for row in algorithms.ENCRYPTION if row.ike), "a cipher for IKE")]
EspCipher = Annotated[str, OneOf(algorithms.ENCRYPTION_BY_NAME, "a cipher for ESP")]
Hash = Annotated[str, OneOf(algorithms.PRF_BY_NAME, "a hash", also=(NON_AUTH,))]
EspAuthentication = Annotated[
    str, OneOf(algorithms.INTEGRITY_BY_NAME, "an authentication algorithm", also=(NO_AUTHENTICATION,))
]
EspAuthentications = Annotated[tuple[EspAuthentication, ...], Field(min_length=1, max_length=8), Distinct]
AhAuthentication = Annotated[str, OneOf(algorithms.INTEGRITY_BY_NAME, "an authentication algorithm")]
Group = Annotated[str, OneOf(_GROUPS, "a DH group")]
PfsGroup = Annotated[str, OneOf(_GROUPS, "a DH group", also=(NO_PFS,))]
Round = Annotated[
    tuple[Annotated[str, OneOf(_EXCHANGES, "a key exchange method", also=(NO_EXCHANGE,))], ...],
    Field(min_length=1, max_length=16),
    Distinct,
]

Lifetime = Annotated[Seconds, Duration("180s", "365d")]


class IkeCryptoProfile(Noun):
    """What protects the IKE SA."""

    encryption: Annotated[tuple[IkeCipher, ...], Distinct] = Field(
        min_length=1, max_length=32, description="Ciphers, best first."
    )
    hash: Annotated[tuple[Hash, ...], Distinct] = Field(
        min_length=1,
        max_length=8,
        description="Hashes for the PRF and, where the cipher is not an AEAD, for integrity. "
        "`non-auth` goes with AES-GCM and its kin, and takes the PRF that suits the DH group.",
    )
    dh_group: Annotated[tuple[Group, ...], Distinct] = Field(
        min_length=1, max_length=16, description="DH groups, best first."
    )
    lifetime: Lifetime = Field(Seconds(8 * 3600.0), description="The IKE SA is rekeyed before this.")
    authentication_multiple: Annotated[int, Whole(0, 50)] = Field(
        0,
        description="The peer is authenticated anew every lifetime times this, from either end; the IKE SA is closed "
        "if that fails for a tenth of the time. 0: never.",
    )
    additional_key_exchange: tuple[Round, ...] = Field(
        (),
        max_length=7,
        description="Further key exchanges, each a list to choose from, best first; with `none` in it the peer may do "
        "without (RFC 9370).",
    )


class Esp(Noun):
    """Encapsulating Security Payload."""

    encryption: Annotated[tuple[EspCipher, ...], Distinct] = Field(
        min_length=1, max_length=32, description="Ciphers, best first."
    )
    authentication: Annotated[EspAuthentications | None, Given] = Field(
        None,
        description="Integrity for ciphers that are not an AEAD; AES-GCM and its kin take `none`, or nothing.",
    )


class Ah(Noun):
    """Authentication Header."""

    authentication: Annotated[tuple[AhAuthentication, ...], Distinct] = Field(
        min_length=1, max_length=8, description="Integrity algorithms, best first."
    )


class IpsecCryptoProfile(Noun):
    """What protects the traffic: ESP or AH."""

    esp: Annotated[Esp | None, Mapped] = Field(None, description="Encrypts and authenticates.")
    ah: Annotated[Ah | None, Mapped] = Field(None, description="Authenticates only.")
    dh_group: PfsGroup = Field(description="DH group of the fresh key exchange at each rekey; `no-pfs`: none.")
    lifetime: Lifetime = Field(Seconds(3600.0), description="A Child SA is rekeyed before this.")
    lifesize: Annotated[int | None, Size("1KB", "65535TB")] = Field(
        None, description="A Child SA is rekeyed before it has carried this much. 1KB is 1024 octets."
    )
    additional_key_exchange: tuple[Round, ...] = Field(
        (),
        max_length=7,
        description="Further key exchanges, each a list to choose from, best first; with `none` in it the peer may do "
        "without (RFC 9370).",
    )

    @model_validator(mode="after")
    def _esp_or_ah(self) -> IpsecCryptoProfile:
        exactly_one(self, "esp", "ah")
        return self
