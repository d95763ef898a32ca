"""What is read off a frame in passing: by the invariants, and by whoever stands in the middle."""

from __future__ import annotations

from functools import lru_cache

from isthmus.sim.network import Frame
from isthmus.wire import udp
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.header import Header, decode_header


def ike_octets(frame: Frame) -> bytes | None:
    """The IKE message in a frame; None: ESP or a keep-alive."""
    octets = frame.body
    if not isinstance(octets, bytes) or octets == udp.KEEPALIVE:
        return None
    return octets.removeprefix(udp.NON_ESP_MARKER)


def header_of(frame: Frame) -> Header | None:
    """The IKE header in a frame, if it is an IKE message."""
    octets = ike_octets(frame)
    return _read(octets) if octets is not None else None


@lru_cache(maxsize=64)
def _read(octets: bytes) -> Header | None:
    """Once, however many look at it."""
    try:
        return decode_header(octets)
    except WireError:
        return None
