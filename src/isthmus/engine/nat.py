"""NAT detection. RFC 7296, 2.23."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.crypto.digest import sha1
from isthmus.model.address import Endpoint
from isthmus.model.quantities import IkeSpi

USER_SPACE_UDP = sha1(b"Isthmus: user-space data plane, prefers ESP in UDP")[:16]
"""A vendor ID. Said by a gateway whose encapsulation is `auto`: two of them take UDP, their faster path (design, 4)."""


@dataclass(slots=True)
class NatSituation:
    """Who is behind a NAT. Empty until both ends have compared hashes."""

    local: bool = False
    """Our own address is translated on the way."""
    remote: bool = False
    """The peer's is."""

    @property
    def found(self) -> bool:
        return self.local or self.remote

    def __str__(self) -> str:
        match self.local, self.remote:
            case True, True:
                return "both"
            case True, False:
                return "local"
            case False, True:
                return "remote"
            case _:
                return "none"


def detection_hash(initiator_spi: IkeSpi, responder_spi: IkeSpi, endpoint: Endpoint) -> bytes:
    """SHA-1 over SPIs, address and port as the sender sees them."""
    return sha1(initiator_spi + responder_spi + endpoint.address.packed + endpoint.port.to_bytes(2, "big"))
