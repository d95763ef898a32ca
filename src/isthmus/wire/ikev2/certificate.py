"""Certificates and requests for them. RFC 7296, 3.6 and 3.7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from isthmus.wire.ikev2.payload import RegularPayload
from isthmus.wire.layout import Layout, rest, u8
from isthmus.wire.registry import CertificateEncoding, PayloadType


@dataclass(frozen=True, slots=True)
class Certificate(RegularPayload):
    """One certificate, revocation list, or hash and URL of one, unread."""

    type: ClassVar = PayloadType.CERT
    layout: ClassVar = Layout(u8("encoding", CertificateEncoding), rest("data"))

    encoding: CertificateEncoding
    data: bytes


@dataclass(frozen=True, slots=True)
class CertificateRequest(RegularPayload):
    """The authorities that the sender trusts: for X.509, SHA-1 hashes of their public keys, one after the other."""

    type: ClassVar = PayloadType.CERTREQ
    layout: ClassVar = Layout(u8("encoding", CertificateEncoding), rest("authorities"))

    encoding: CertificateEncoding
    authorities: bytes
