"""Authentication, EAP and Vendor ID. RFC 7296, 3.8, 3.12 and 3.16."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.payload import RegularPayload
from isthmus.wire.layout import Layout, reserved, rest, u8
from isthmus.wire.reader import Reader
from isthmus.wire.registry import AuthMethod, EapCode, PayloadType

_EAP_HEADER = 4


@dataclass(frozen=True, slots=True)
class Authentication(RegularPayload):
    """A signature, or a MAC keyed with the shared secret, over the signed octets."""

    type: ClassVar = PayloadType.AUTH
    layout: ClassVar = Layout(u8("method", AuthMethod), reserved(3), rest("data"))

    method: AuthMethod
    data: bytes


@dataclass(frozen=True, slots=True)
class Eap(RegularPayload):
    """One EAP message, its own header included."""

    type: ClassVar = PayloadType.EAP
    layout: ClassVar = Layout(rest("data"))

    data: bytes

    @property
    def code(self) -> EapCode:
        return EapCode.of(self.data[0])

    @classmethod
    def read(cls, reader: Reader, *, critical: bool) -> Self:
        start, data = reader.offset, reader.rest()
        # RFC 7296, 3.16: the EAP length MUST be four less than the payload length.
        if len(data) < _EAP_HEADER or int.from_bytes(data[2:4]) != len(data):
            raise WireError(f"EAP message does not fill the {len(data)} octets", start, "data")
        return cls(data, critical=critical)


@dataclass(frozen=True, slots=True)
class VendorId(RegularPayload):
    """A constant by which implementations know each other."""

    type: ClassVar = PayloadType.VENDOR_ID
    layout: ClassVar = Layout(rest("data"))

    data: bytes
