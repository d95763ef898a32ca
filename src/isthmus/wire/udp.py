"""What shares UDP port 4500: IKE behind a marker, ESP, keepalives. RFC 3948, 2; RFC 7296, 2.23 and 3.1."""

from __future__ import annotations

from enum import Enum, auto

NON_ESP_MARKER = bytes(4)
"""Stands where ESP has its SPI, which is never zero (RFC 3948, 2.2)."""

KEEPALIVE = b"\xff"
"""RFC 3948, 2.3: one octet that only keeps the NAT's mapping alive."""

_IKE_HEADER = 28
_ESP_HEADER = 8


class Content(Enum):
    """What a datagram on port 4500 holds."""

    IKE = auto()
    ESP = auto()
    KEEPALIVE = auto()
    INVALID = auto()


def frame(octets: bytes) -> bytes:
    """An IKE message as it is sent from and to port 4500."""
    return NON_ESP_MARKER + octets


def classify(octets: bytes) -> Content:
    """Tell what came in, by its first octets and its size alone. IKE begins behind the marker."""
    if octets == KEEPALIVE:
        return Content.KEEPALIVE
    if octets.startswith(NON_ESP_MARKER):
        return Content.IKE if len(octets) >= len(NON_ESP_MARKER) + _IKE_HEADER else Content.INVALID
    return Content.ESP if len(octets) >= _ESP_HEADER else Content.INVALID
