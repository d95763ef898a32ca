"""Every payload of IKEv2, and which class reads which type."""

from __future__ import annotations

from isthmus.wire.ikev2.authentication import Authentication, Eap, VendorId
from isthmus.wire.ikev2.certificate import Certificate, CertificateRequest
from isthmus.wire.ikev2.configuration import Configuration
from isthmus.wire.ikev2.delete import Delete
from isthmus.wire.ikev2.encrypted import Encrypted, EncryptedFragment
from isthmus.wire.ikev2.identification import IdI, IdR
from isthmus.wire.ikev2.key_exchange import KeyExchange, Nonce
from isthmus.wire.ikev2.notify import Notify
from isthmus.wire.ikev2.payload import Payload, UnknownPayload
from isthmus.wire.ikev2.security_association import SecurityAssociation
from isthmus.wire.ikev2.traffic_selector import TsI, TsR, UnknownSelector

__all__ = [
    "Authentication",
    "Certificate",
    "CertificateRequest",
    "Configuration",
    "Delete",
    "Eap",
    "Encrypted",
    "EncryptedFragment",
    "IdI",
    "IdR",
    "KeyExchange",
    "Nonce",
    "Notify",
    "Payload",
    "SecurityAssociation",
    "TsI",
    "TsR",
    "UnknownPayload",
    "UnknownSelector",
    "VendorId",
]

READABLE: tuple[type[Payload], ...] = (
    SecurityAssociation,
    KeyExchange,
    IdI,
    IdR,
    Certificate,
    CertificateRequest,
    Authentication,
    Nonce,
    Notify,
    Delete,
    VendorId,
    TsI,
    TsR,
    Configuration,
    Eap,
)
"""Those that may stand anywhere in a chain. SK and SKF only end one, and are read apart."""
