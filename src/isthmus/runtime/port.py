"""The IKE port of one local address, sorted by the kernel: a flood of first messages fills its own buffer, no other."""

from __future__ import annotations

import ctypes
import socket
import struct
from enum import IntEnum
from typing import Final

from isthmus.model.address import Endpoint
from isthmus.wire.registry import NotifyType, PayloadType

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Octets: some thousand IKE messages, the burst of a neighbour's restart with all its tunnels."""
SO_RCVBUFFORCE = 33
SO_ATTACH_REUSEPORT_CBPF = 51
"""Linux asm-generic/socket.h; Python does not name them."""

_LOAD_WORD, _LOAD_HALF, _LOAD_OCTET, _JUMP_UNLESS, _RETURN = 0x20, 0x28, 0x30, 0x15, 0x06
"""Instructions of linux/filter.h; the jump is BPF_JEQ, taken where the two differ."""
_INSTRUCTION = struct.Struct("=HBBI")


class Queue(IntEnum):
    """What a datagram is, as far as the kernel looks: the number is that of the socket that gets it."""

    FIRST = 0
    """Begins an IKE SA, from an address that nobody has proved; and whatever else is neither of the others."""
    PROVED = 1
    """Begins an IKE SA and brings a cookie, as its first payload (RFC 7296, 2.6). The engine looks whose it is."""
    STANDING = 2
    """Names an IKE SA of ours, at least by its form."""


class Port:
    """One socket for each queue, all bound to the same place. Raises `OSError` where it cannot be bound."""

    def __init__(self, local: Endpoint, device: str | None = None) -> None:
        self._sockets: list[socket.socket] = []
        try:
            for queue in Queue:
                self._sockets.append(_opened(local, device, sorting=queue is Queue.FIRST))
        except OSError:
            self.close()
            raise

    def socket_of(self, queue: Queue) -> socket.socket:
        return self._sockets[queue]

    def send(self, octets: bytes, remote: Endpoint) -> None:
        self._sockets[Queue.FIRST].sendto(octets, (str(remote.address), remote.port))

    def close(self) -> None:
        for opened in self._sockets:
            opened.close()
        self._sockets.clear()


def _opened(local: Endpoint, device: str | None, *, sorting: bool) -> socket.socket:
    version = local.address.version
    opened = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        if version == 6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if device is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
        _widen(opened)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if sorting:
            # Before it is bound: not one datagram arrives unsorted.
            _sort(opened)
        opened.bind((str(local.address), local.port))
    except OSError:
        opened.close()
        raise
    return opened


def _sort(opened: socket.socket) -> None:
    """Offsets are those of the IKE header (RFC 7296, 3.1) and of a notification behind it; a datagram that ends
    before one of them goes to the first queue."""
    program = (
        (_LOAD_WORD, 0, 8),  # the responder's SPI
        (_JUMP_UNLESS, 8, 0),
        (_LOAD_WORD, 0, 12),
        (_JUMP_UNLESS, 6, 0),
        (_LOAD_OCTET, 0, 16),  # the first payload
        (_JUMP_UNLESS, 3, int(PayloadType.NOTIFY)),
        (_LOAD_HALF, 0, 34),  # what it notifies of
        (_JUMP_UNLESS, 1, int(NotifyType.COOKIE)),
        (_RETURN, 0, Queue.PROVED),
        (_RETURN, 0, Queue.FIRST),
        (_RETURN, 0, Queue.STANDING),
    )
    octets = b"".join(_INSTRUCTION.pack(code, 0, jump, value) for code, jump, value in program)
    instructions = ctypes.create_string_buffer(octets, len(octets))
    filtering: Final = struct.pack("@HP", len(program), ctypes.addressof(instructions))
    opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, filtering)


def _widen(opened: socket.socket) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except OSError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
