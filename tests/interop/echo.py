"""Echo requests of an exact number, so that counters can be held against it: ping sends more where answers are late."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from ipaddress import ip_address

from isthmus.lab.namespaces import Namespace

_PACE = 0.05
_PATIENCE = 3.0
"""Seconds from the last request to the last answer."""
_IDENTIFIER = 0x1D1D
_HEADER = struct.Struct("!BBHHH")
_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}


def answered(host: Namespace, source: str, destination: str, count: int = 4, size: int = 56) -> int:
    """How many of `count` echo requests, of `size` octets of data each, were answered, however late."""
    version = ip_address(destination).version
    with host.inside():
        opened = _opened(version)
    with opened:
        opened.bind((source, 0))
        missing = set(range(count))
        due = time.monotonic()
        for number in range(count):
            with contextlib.suppress(PermissionError):  # a rule of the host refuses it
                opened.sendto(_request(version, number, size), (destination, 0))
            due += _PACE
            _collect(opened, version, missing, due)
        _collect(opened, version, missing, due + _PATIENCE)
        return count - len(missing)


def _opened(version: int) -> socket.socket:
    if version == 4:
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    return socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)


def _request(version: int, number: int, size: int) -> bytes:
    body = bytes(size)
    plain = _HEADER.pack(_REQUEST[version], 0, 0, _IDENTIFIER, number) + body
    # Of ICMPv6 the system writes the checksum itself.
    checksum = _checksum(plain) if version == 4 else 0
    return _HEADER.pack(_REQUEST[version], 0, checksum, _IDENTIFIER, number) + body


def _collect(opened: socket.socket, version: int, missing: set[int], until: float) -> None:
    while missing and (left := until - time.monotonic()) > 0:
        opened.settimeout(left)
        try:
            octets = opened.recv(65535)
        except TimeoutError:
            return
        at = (octets[0] & 0xF) * 4 if version == 4 else 0
        kind, _, _, identifier, number = _HEADER.unpack_from(octets, at)
        if (kind, identifier) == (_REPLY[version], _IDENTIFIER):
            missing.discard(number)


def _checksum(octets: bytes) -> int:
    """RFC 1071."""
    octets += bytes(len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
