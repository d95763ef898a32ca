"""`certificates:` and `certificate-profiles:`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from isthmus.config.schema.noun import Distinct, Noun
from isthmus.config.values.secrets import SecretSource, SecretValue
from isthmus.config.values.words import Choice, Text

File = Annotated[str, Text("a path", r"[^\0]+")]


class RevocationCheck(StrEnum):
    NO = "no"
    IF_AVAILABLE = "if-available"
    REQUIRED = "required"


class Certificate(Noun):
    """A certificate of our own."""

    certificate: File = Field(description="PEM or DER file of the certificate.")
    private_key: Annotated[SecretSource, SecretValue()] = Field(description="Its private key.")
    chain: Annotated[tuple[File, ...], Distinct] = Field(
        (), max_length=4, description="Intermediate certificates, from ours upwards."
    )


class CertificateProfile(Noun):
    """How a peer's certificate is judged."""

    ca: Annotated[tuple[File, ...], Distinct] = Field(
        min_length=1, max_length=64, description="Certificates of the authorities that we trust."
    )
    crl: Annotated[tuple[File, ...], Distinct] = Field((), max_length=64, description="Revocation lists.")
    use_crl: Annotated[RevocationCheck, Choice(RevocationCheck)] = Field(
        RevocationCheck.IF_AVAILABLE, description="Whether a revocation list must be at hand."
    )
    use_ocsp: Annotated[RevocationCheck, Choice(RevocationCheck)] = Field(
        RevocationCheck.IF_AVAILABLE, description="Whether an OCSP answer must be at hand."
    )
