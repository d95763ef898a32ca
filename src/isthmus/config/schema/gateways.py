"""`ike-gateways:` the peers, and how we are to each other."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from isthmus.config.problems import CONFLICT, MISSING
from isthmus.config.schema.noun import Flag, Mapped, Noun, exactly_one
from isthmus.config.values.identities import DnIdentity, FqdnIdentity, IpIdentity, KeyIdIdentity, UserFqdnIdentity
from isthmus.config.values.kind import fault
from isthmus.config.values.network import HostAddress, Peer
from isthmus.config.values.quantities import Boolean, Duration, Whole
from isthmus.config.values.secrets import SecretSource, SecretValue
from isthmus.config.values.words import Choice, Reference, Text
from isthmus.model.address import Address
from isthmus.model.identity import Identity, Matching
from isthmus.model.plan import Encapsulation, ExchangeMode, PeerAddress, PpkMode, Version
from isthmus.model.quantities import Seconds


class LocalId(Noun):
    """Who we say that we are: one of these."""

    ip: Annotated[Identity | None, IpIdentity()] = Field(None, description="An address.")
    fqdn: Annotated[Identity | None, FqdnIdentity()] = Field(None, description="A host name.")
    user_fqdn: Annotated[Identity | None, UserFqdnIdentity()] = Field(None, description="An e-mail address.")
    key_id: Annotated[Identity | None, KeyIdIdentity()] = Field(None, description="Octets that both ends know.")
    dn: Annotated[Identity | None, DnIdentity()] = Field(None, description="The subject of a certificate.")

    @model_validator(mode="after")
    def _one_kind(self) -> LocalId:
        exactly_one(self, "ip", "fqdn", "user_fqdn", "key_id", "dn")
        return self

    @property
    def identity(self) -> Identity:
        given = next((i for i in (self.ip, self.fqdn, self.user_fqdn, self.key_id, self.dn) if i is not None), None)
        if given is None:
            raise ValueError("an identity without a kind")
        return given


class PeerId(LocalId):
    """Who the peer must say that it is: one of these."""

    matching: Annotated[Matching, Choice(Matching)] = Field(
        Matching.EXACT, description="`wildcard` lets `*` stand for a part of the name; for certificates only."
    )


class HashAndUrl(Noun):
    """Sends the address of our certificate instead of the certificate (RFC 7296, 3.6)."""

    base_url: Annotated[str, Text("an http:// URL", r"http://[!-~]+")] = Field(
        description="Where our certificates can be fetched."
    )


class Authentication(Noun):
    """How both prove who they are: a pre-shared key, or a certificate with a certificate profile."""

    pre_shared_key: Annotated[SecretSource | None, SecretValue()] = Field(
        None, description="A key that both ends know; `0x` and hexadecimal digits stand for octets."
    )
    certificate: Annotated[str | None, Reference("certificates")] = Field(None, description="Our certificate.")
    certificate_profile: Annotated[str | None, Reference("certificate-profiles")] = Field(
        None, description="How the peer's certificate is judged."
    )
    hash_and_url: Annotated[HashAndUrl | None, Mapped] = Field(
        None, description="Send where our certificate is, not the certificate."
    )
    strict_eku: Annotated[bool | None, Boolean()] = Field(
        None, description="Whether the peer's certificate must be meant for IPsec by its extended key usage."
    )
    allow_id_mismatch: Annotated[bool | None, Boolean()] = Field(
        None, description="Whether the peer's ID may be missing in its certificate."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Authentication:
        exactly_one(self, "pre_shared_key", "certificate")
        if self.certificate is not None and self.certificate_profile is None:
            raise fault(MISSING, "certificate-profile is missing beside certificate")
        belongs = ("certificate_profile", "hash_and_url", "strict_eku", "allow_id_mismatch")
        for option in belongs if self.pre_shared_key is not None else ():
            if getattr(self, option) is not None:
                name = option.replace("_", "-")
                raise fault(CONFLICT, f"{name} goes with a certificate, not with a pre-shared key", at=name)
        return self


class NatTraversal(Noun):
    """UDP encapsulation when a NAT is found between us (RFC 7296, 2.23)."""

    enabled: Flag = Field(True, description="Whether we look for NAT and live with it.")
    keep_alive: Annotated[Seconds, Duration("10s", "3600s")] = Field(
        Seconds(20.0), description="Time between the packets that keep a NAT's mapping alive."
    )


class Fragmentation(Noun):
    """IKE messages in pieces that pass any path (RFC 7383)."""

    enabled: Flag = Field(True, description="Whether we offer it.")
    size: Annotated[int, Whole(576, 9216)] = Field(1280, description="The largest IP packet that a piece may make.")


class Dpd(Noun):
    """Dead peer detection of IKEv1 (RFC 3706)."""

    enabled: Flag = Field(True, description="Whether we ask.")
    interval: Annotated[Seconds, Duration("2s", "100s")] = Field(Seconds(5.0), description="Silence before we ask.")
    retry: Annotated[int, Whole(2, 100)] = Field(5, description="Unanswered questions that mean that the peer is gone.")


class Ikev1(Noun):
    """What counts when IKEv1 is spoken."""

    exchange_mode: Annotated[ExchangeMode, Choice(ExchangeMode)] = Field(
        ExchangeMode.AUTO, description="`auto` begins with main mode and accepts both."
    )
    ike_crypto_profile: Annotated[str, Reference("ike-crypto-profiles")] = Field(
        "default", description="What protects the IKE SA."
    )
    dpd: Dpd = Field(default_factory=lambda: Dpd.model_validate({}), description="Dead peer detection.")


class Liveness(Noun):
    """An empty INFORMATIONAL when the peer has been silent (RFC 7296, 2.4)."""

    enabled: Flag = Field(True, description="Whether we ask.")
    interval: Annotated[Seconds, Duration("2s", "100s")] = Field(Seconds(5.0), description="Silence before we ask.")


class Ikev2(Noun):
    """What counts when IKEv2 is spoken."""

    ike_crypto_profile: Annotated[str, Reference("ike-crypto-profiles")] = Field(
        "default", description="What protects the IKE SA."
    )
    require_cookie: Flag = Field(False, description="Whether every peer must return a cookie, however quiet it is.")
    liveness: Liveness = Field(default_factory=lambda: Liveness.model_validate({}), description="The liveness check.")


SecretOfPpk = Annotated[SecretSource, SecretValue()]


class Ppk(Noun):
    """Post-quantum pre-shared keys (RFC 8784)."""

    mode: Annotated[PpkMode, Choice(PpkMode)] = Field(
        PpkMode.PREFERRED, description="`preferred` goes on without where the peer has none; `mandatory` does not."
    )
    keys: Annotated[
        dict[Annotated[str, Text("a key ID of 1 to 31 characters", r"[!-~]+", 31)], SecretOfPpk], Mapped
    ] = Field(min_length=1, max_length=10, description="One to ten secrets of 16 to 64 octets, by their key ID.")


class IkeGateway(Noun):
    """Another gateway."""

    version: Annotated[Version, Choice(Version)] = Field(
        Version.IKEV2, description="`ikev2-preferred` falls back to IKEv1 where the peer has no IKEv2."
    )
    interface: Annotated[str, Reference("interfaces")] = Field(description="The interface of the host that faces it.")
    local_address: Annotated[Address | None, HostAddress()] = Field(
        None, description="Our address towards it; the interface's first of the peer's family if left out."
    )
    peer_address: Annotated[PeerAddress, Peer()] = Field(description="Where it is; `dynamic`: anywhere, and it begins.")
    authentication: Authentication = Field(description="How both prove who they are.")
    local_id: Annotated[LocalId | None, Mapped] = Field(
        None, description="Who we say that we are; our address if left out."
    )
    peer_id: Annotated[PeerId | None, Mapped] = Field(
        None, description="Who it must say that it is; its address if left out."
    )
    passive: Flag = Field(
        False, description="Whether we only answer and never begin, but to authenticate anew a peer that stands."
    )
    nat_traversal: NatTraversal = Field(
        default_factory=lambda: NatTraversal.model_validate({}), description="How we live with NAT."
    )
    encapsulation: Annotated[Encapsulation, Choice(Encapsulation)] = Field(
        Encapsulation.AUTO,
        description="How ESP travels. `auto`: in UDP behind NAT and between two Isthmus gateways, else plain.",
    )
    fragmentation: Fragmentation = Field(
        default_factory=lambda: Fragmentation.model_validate({}), description="IKE messages in pieces."
    )
    ppk: Annotated[Ppk | None, Mapped] = Field(None, description="Post-quantum pre-shared keys.")
    ikev1: Ikev1 = Field(default_factory=lambda: Ikev1.model_validate({}), description="For IKEv1.")
    ikev2: Ikev2 = Field(default_factory=lambda: Ikev2.model_validate({}), description="For IKEv2.")
