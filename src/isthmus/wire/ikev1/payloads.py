"""Every payload of IKE version 1, and which class reads which type. RFC 2408, 3.4 to 3.16."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from isthmus.model.identity import Identity, IdType
from isthmus.model.proposal import Protocol
from isthmus.wire.errors import WireError
from isthmus.wire.ikev1.payload import Payload, RegularPayload, UnknownPayload
from isthmus.wire.ikev1.registry import DOI_IPSEC, NotifyType, PayloadType
from isthmus.wire.ikev1.security_association import SecurityAssociation
from isthmus.wire.layout import Layout, reserved, rest, u8, u16
from isthmus.wire.reader import Reader
from isthmus.wire.registry import CertificateEncoding

__all__ = [
    "CertificatePayload",
    "CertificateRequest",
    "Delete",
    "Fragment",
    "Hash",
    "Identification",
    "KeyExchange",
    "NatD",
    "NatDDraft",
    "NatOa",
    "NatOaDraft",
    "Nonce",
    "Notify",
    "Payload",
    "SecurityAssociation",
    "Signature",
    "UnknownPayload",
    "VendorId",
]

_DATA = Layout(rest("data"))
_NOTIFY = Struct(">IBBH")
_LARGEST_SPI = 16
"""RFC 2407, 4.6.3: an ISAKMP SA is named by both cookies."""


@dataclass(frozen=True, slots=True)
class KeyExchange(RegularPayload):
    """A public value, of the group that the SA names."""

    type: ClassVar = PayloadType.KE
    layout: ClassVar = _DATA

    data: bytes


@dataclass(frozen=True, slots=True)
class Hash(RegularPayload):
    """A keyed hash: it authenticates an exchange (RFC 2409, 5)."""

    type: ClassVar = PayloadType.HASH
    layout: ClassVar = _DATA

    data: bytes


@dataclass(frozen=True, slots=True)
class Signature(RegularPayload):
    type: ClassVar = PayloadType.SIG
    layout: ClassVar = _DATA

    data: bytes


@dataclass(frozen=True, slots=True)
class Nonce(RegularPayload):
    type: ClassVar = PayloadType.NONCE
    layout: ClassVar = _DATA

    data: bytes


@dataclass(frozen=True, slots=True)
class VendorId(RegularPayload):
    type: ClassVar = PayloadType.VENDOR_ID
    layout: ClassVar = _DATA

    data: bytes


@dataclass(frozen=True, slots=True)
class Identification(RegularPayload):
    """Who speaks (phase 1), or whose traffic is protected (phase 2). RFC 2407, 4.6.2."""

    type: ClassVar = PayloadType.ID
    layout: ClassVar = Layout(u8("kind", IdType), u8("protocol"), u16("port"), rest("value"))

    kind: IdType
    protocol: int
    port: int
    value: bytes

    @property
    def identity(self) -> Identity:
        return Identity(self.kind, self.value)


@dataclass(frozen=True, slots=True)
class CertificatePayload(RegularPayload):
    type: ClassVar = PayloadType.CERT
    layout: ClassVar = Layout(u8("encoding", CertificateEncoding), rest("data"))

    encoding: CertificateEncoding
    data: bytes


@dataclass(frozen=True, slots=True)
class CertificateRequest(RegularPayload):
    type: ClassVar = PayloadType.CR
    layout: ClassVar = Layout(u8("encoding", CertificateEncoding), rest("authority"))

    encoding: CertificateEncoding
    authority: bytes


@dataclass(frozen=True, slots=True)
class NatD(RegularPayload):
    """The hash of an address and a port as the sender sees them. RFC 3947, 3.2."""

    type: ClassVar = PayloadType.NAT_D
    layout: ClassVar = _DATA

    data: bytes


@dataclass(frozen=True, slots=True)
class NatDDraft(NatD):
    """The same under the number of the drafts."""

    type: ClassVar = PayloadType.NAT_D_DRAFT


@dataclass(frozen=True, slots=True)
class NatOa(RegularPayload):
    """An address before translation, for transport mode. RFC 3947, 5.2."""

    type: ClassVar = PayloadType.NAT_OA
    layout: ClassVar = Layout(u8("kind", IdType), reserved(3), rest("address"))

    kind: IdType
    address: bytes


@dataclass(frozen=True, slots=True)
class NatOaDraft(NatOa):
    """The same under the number of the drafts."""

    type: ClassVar = PayloadType.NAT_OA_DRAFT


@dataclass(frozen=True, slots=True)
class Fragment(RegularPayload):
    """A piece of a whole message, header included, by the vendors' convention. `flags` is 1 in the last piece."""

    type: ClassVar = PayloadType.FRAGMENT
    layout: ClassVar = Layout(u16("identifier"), u8("number"), u8("flags"), rest("data"))

    identifier: int
    number: int
    flags: int
    data: bytes

    @property
    def last(self) -> bool:
        return self.flags & 1 != 0


@dataclass(frozen=True, slots=True)
class Notify(Payload):
    """An error or a status. RFC 2408, 3.14."""

    type: ClassVar = PayloadType.NOTIFY

    notify: NotifyType
    data: bytes = b""
    protocol: Protocol = Protocol.IKE
    spi: bytes = b""
    doi: int = DOI_IPSEC

    @classmethod
    def read(cls, reader: Reader) -> Self:
        start = reader.offset
        doi, protocol, size, number = reader.unpack(_NOTIFY, "notify type")
        if size > _LARGEST_SPI:
            raise WireError(f"SPI of {size} octets", start + 5, "SPI size")
        spi = reader.take(size, "SPI")
        return cls(NotifyType.of(number), reader.rest(), Protocol.of(protocol), spi, doi)

    def write(self) -> bytes:
        return _NOTIFY.pack(self.doi, self.protocol, len(self.spi), self.notify) + self.spi + self.data


@dataclass(frozen=True, slots=True)
class Delete(Payload):
    """SAs that their sender has removed. RFC 2408, 3.15."""

    type: ClassVar = PayloadType.DELETE

    protocol: Protocol
    spis: tuple[bytes, ...]
    doi: int = DOI_IPSEC

    @classmethod
    def read(cls, reader: Reader) -> Self:
        start = reader.offset
        doi, protocol, size, count = reader.unpack(_NOTIFY, "number of SPIs")
        if not 1 <= size <= _LARGEST_SPI:
            raise WireError(f"SPI of {size} octets", start + 5, "SPI size")
        if count * size != reader.remaining:
            raise WireError(f"{count} SPIs of {size} octets, have {reader.remaining}", start + 6, "number of SPIs")
        return cls(Protocol.of(protocol), tuple(reader.take(size, "SPI") for _ in range(count)), doi)

    def write(self) -> bytes:
        size = len(self.spis[0]) if self.spis else 0
        if any(len(spi) != size for spi in self.spis):
            raise ValueError("SPIs of several sizes")
        return _NOTIFY.pack(self.doi, self.protocol, size, len(self.spis)) + b"".join(self.spis)


READABLE: tuple[type[Payload], ...] = (
    SecurityAssociation,
    KeyExchange,
    Identification,
    CertificatePayload,
    CertificateRequest,
    Hash,
    Signature,
    Nonce,
    Notify,
    Delete,
    VendorId,
    NatD,
    NatDDraft,
    NatOa,
    NatOaDraft,
    Fragment,
)
