"""Delete. RFC 7296, 3.11."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from isthmus.model.proposal import Protocol
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.notify import IPSEC_SPI
from isthmus.wire.ikev2.payload import Payload
from isthmus.wire.reader import Reader
from isthmus.wire.registry import PayloadType

MAX_SPIS = 1024
"""Four times the proxy IDs that one tunnel interface can have: every SA of theirs, and their forerunners, at once."""

_FIXED = Struct(">BBH")
_SPI_SIZES = {Protocol.IKE: 0, Protocol.AH: IPSEC_SPI, Protocol.ESP: IPSEC_SPI}


@dataclass(frozen=True, slots=True)
class Delete(Payload):
    """The SPIs that the sender no longer receives on; for the IKE SA itself there are none."""

    type: ClassVar = PayloadType.DELETE

    protocol: Protocol
    spis: tuple[bytes, ...] = ()

    @classmethod
    def read(cls, reader: Reader, *, critical: bool) -> Self:
        start = reader.offset
        number, size, count = reader.unpack(_FIXED, "number of SPIs")
        protocol = Protocol.of(number)
        if size != _SPI_SIZES.get(protocol, size):
            raise WireError(f"{protocol.name} SPI of {size} octets", start + 1, "SPI size")
        if count > MAX_SPIS:
            raise WireError(f"{count} SPIs, at most {MAX_SPIS}", start + 2, "number of SPIs")
        if count and not size:
            raise WireError(f"{count} SPIs of no octets", start + 2, "number of SPIs")
        octets = reader.take(size * count, "SPIs")
        spis = tuple(octets[at : at + size] for at in range(0, len(octets), size or 1))
        return cls(protocol, spis, critical=critical)

    def write(self) -> bytes:
        size = len(self.spis[0]) if self.spis else _SPI_SIZES.get(self.protocol, 0)
        if any(len(spi) != size for spi in self.spis):
            raise ValueError("the SPIs of one Delete payload have one size")
        return _FIXED.pack(self.protocol, size, len(self.spis)) + b"".join(self.spis)
