"""Notify. RFC 7296, 3.10."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from isthmus.model.proposal import Protocol
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.payload import Payload
from isthmus.wire.reader import Reader
from isthmus.wire.registry import NotifyType, PayloadType

IPSEC_SPI = 4
"""Octets in the SPI of ESP and AH."""

_FIXED = Struct(">BBH")
_IPSEC = frozenset((Protocol.AH, Protocol.ESP))
_ANY_SIZE = (0, 0xFFFF)
_DATA_SIZES = {
    NotifyType.INVALID_KE_PAYLOAD: (2, 2),
    NotifyType.SET_WINDOW_SIZE: (4, 4),
    NotifyType.COOKIE: (1, 64),
    NotifyType.ADDITIONAL_IP4_ADDRESS: (4, 4),
    NotifyType.ADDITIONAL_IP6_ADDRESS: (16, 16),
    NotifyType.COOKIE2: (8, 64),
    NotifyType.AUTH_LIFETIME: (4, 4),
}
"""RFC 7296, 2.6 and 3.10.1; RFC 4555, 4.2; RFC 4478, 4: the data that the receiver has to act on."""


@dataclass(frozen=True, slots=True)
class Notify(Payload):
    """An error or a status, of the IKE SA or of the SA that `protocol` and `spi` name."""

    type: ClassVar = PayloadType.NOTIFY

    notify: NotifyType
    data: bytes = b""
    protocol: Protocol = Protocol.NONE
    spi: bytes = b""

    @classmethod
    def read(cls, reader: Reader, *, critical: bool) -> Self:
        start = reader.offset
        protocol, spi_size, number = reader.unpack(_FIXED, "notify type")
        if spi_size and spi_size != IPSEC_SPI and protocol in _IPSEC:
            raise WireError(f"{Protocol.of(protocol).name} SPI of {spi_size} octets", start + 1, "SPI size")
        spi = reader.take(spi_size, "SPI") if spi_size else b""
        notify, data = NotifyType.of(number), reader.rest()
        least, most = _DATA_SIZES.get(notify, _ANY_SIZE)
        if not least <= len(data) <= most:
            raise WireError(f"{notify.name} with {len(data)} octets of data", reader.end - len(data), "data")
        return cls(notify, data, Protocol.of(protocol), spi, critical=critical)

    def write(self) -> bytes:
        return _FIXED.pack(self.protocol, len(self.spi), self.notify) + self.spi + self.data
