"""rtnetlink(7): messages to the kernel and back. Numbers are of linux/netlink.h, rtnetlink.h, if_link.h, if_addr.h."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from enum import IntEnum
from types import TracebackType
from typing import Self


class Kind(IntEnum):
    """What is asked for, or told."""

    NEW_LINK, DELETE_LINK, GET_LINK, SET_LINK = 16, 17, 18, 19
    NEW_ADDRESS, DELETE_ADDRESS, GET_ADDRESS = 20, 21, 22
    NEW_ROUTE, DELETE_ROUTE, GET_ROUTE = 24, 25, 26


class LinkAttribute(IntEnum):
    NAME, MTU, ALIAS, AF_SPEC, EXT_MASK = 3, 4, 20, 26, 29


class AddressAttribute(IntEnum):
    ADDRESS, LOCAL = 1, 2


class RouteAttribute(IntEnum):
    DESTINATION, OUT, PRIORITY, TABLE = 1, 4, 6, 15


LINK = struct.Struct("=BxHiII")
"""family, type, index, flags, which of the flags"""
ADDRESS = struct.Struct("=BBBBI")
"""family, prefix length, flags, scope, index"""
ROUTE = struct.Struct("=BBBBBBBBI")
"""family, prefix lengths of destination and source, TOS, table, protocol, scope, type, flags"""

UP = 1
"""IFF_UP, a link's flag."""

_SIZES = {Kind.NEW_LINK: LINK.size, Kind.NEW_ADDRESS: ADDRESS.size, Kind.NEW_ROUTE: ROUTE.size}
_HEADER = struct.Struct("=IHHII")
"""length, type, flags, sequence number, port"""
_ATTRIBUTE = struct.Struct("=HH")
_ERROR = struct.Struct("=i")
_REQUEST, _ACKNOWLEDGE, _DUMP, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x300, 0x200, 0x400
_INTERRUPTED = 0x10
_ERROR_MESSAGE, _DONE = 2, 3
_NESTED, _TYPE_MASK = 0x8000, 0x3FFF
_SOL_NETLINK, _STRICT_CHECK = 270, 12
_LARGEST = 1 << 16
_TRIES = 3
"""Of a list that changed while it was told; the last one is taken as it is."""

Attributes = dict[int, bytes]


class KernelRefusal(Exception):
    """The kernel did not do one thing."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Connection:
    """Blocks on the kernel, for microseconds. It sees the network namespace of the thread that made it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._sequence = 0
        try:
            # Lets the kernel select routes by protocol: a host may carry a full BGP table. Since Linux 4.20.
            self._socket.setsockopt(_SOL_NETLINK, _STRICT_CHECK, 1)
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:
                self._socket.close()
                raise

    def list(self, kind: Kind, selection: bytes, *attributes: bytes) -> list[tuple[bytes, Attributes]]:
        """Every link, address or route that the kernel has; each as its fixed part and its attributes."""
        body = selection + b"".join(attributes)
        found: list[tuple[bytes, Attributes]] = []
        for _ in range(_TRIES):
            self._send(kind, _REQUEST | _DUMP, body)
            found, interrupted = [], False
            for kind_told, flags, told in self._told():
                interrupted |= bool(flags & _INTERRUPTED)
                size = _SIZES[Kind(kind_told)]
                found.append((told[:size], _attributes(told, size)))
            if not interrupted:
                break
        return found

    def change(self, kind: Kind, subject: bytes, *attributes: bytes) -> None:
        """Adds, sets or deletes one thing. What exists is never replaced by adding. Raises `KernelRefusal`."""
        adding = _CREATE | _EXCLUSIVE if kind in (Kind.NEW_ADDRESS, Kind.NEW_ROUTE) else 0
        try:
            self._send(kind, _REQUEST | _ACKNOWLEDGE | adding, subject + b"".join(attributes))
            for _ in self._told():
                pass
        except OSError as error:
            raise KernelRefusal(os.strerror(error.errno) if error.errno else str(error)) from error

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, kind: Kind, flags: int, body: bytes) -> None:
        self._sequence += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._sequence, 0) + body)

    def _told(self) -> Iterator[tuple[int, int, bytes]]:
        """The messages of one answer, to its end."""
        while True:
            octets, at = self._socket.recv(_LARGEST), 0
            while at < len(octets):
                length, kind, flags, sequence, _ = _HEADER.unpack_from(octets, at)
                body = octets[at + _HEADER.size : at + length]
                at += _aligned(length)
                if sequence != self._sequence:
                    continue  # the rest of an answer that was given up
                if kind in (_ERROR_MESSAGE, _DONE):
                    (code,) = _ERROR.unpack_from(body)
                    if code:
                        raise OSError(-code, os.strerror(-code))
                    return
                yield kind, flags, body


def attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_aligned(length) - length)


def number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def nested(kind: int, *attributes: bytes) -> bytes:
    return attribute(kind | _NESTED, b"".join(attributes))


def as_number(value: bytes) -> int:
    (read,) = struct.unpack("=I", value)
    return int(read)


def as_text(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="replace")


def _attributes(octets: bytes, at: int) -> Attributes:
    found: Attributes = {}
    while at + _ATTRIBUTE.size <= len(octets):
        length, kind = _ATTRIBUTE.unpack_from(octets, at)
        if length < _ATTRIBUTE.size:
            break
        found[kind & _TYPE_MASK] = octets[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3
