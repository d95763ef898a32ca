"""The IKE port of one local address, sorted by the kernel: a flood of first messages fills its own buffer, no other."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterable
from enum import IntEnum

from isthmus.model.address import Address, Endpoint
from isthmus.wire.registry import NotifyType, PayloadType

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Octets: some thousand IKE messages, the burst of a neighbour's restart with all its tunnels."""
SO_RCVBUFFORCE = 33
SO_ATTACH_REUSEPORT_CBPF = 51
"""Linux asm-generic/socket.h; Python does not name them."""

_LOAD_WORD, _LOAD_HALF, _LOAD_OCTET, _JUMP_UNLESS, _RETURN = 0x20, 0x28, 0x30, 0x15, 0x06
_KEEP, _MIX = 0x07, 0xAC
"""Instructions of linux/filter.h; the jump is BPF_JEQ, taken where the two differ; TAX keeps what XOR mixes in."""
_IP_HEADER = 0xFFF00000
"""SKF_NET_OFF: offsets from there are those of the IP header."""
_SOURCE = {4: (12,), 6: (8, 12, 16, 20)}
"""Where the words of the source address stand in it."""
_INSTRUCTION = struct.Struct("=HBBI")
MOST_EXPECTED = 2000
"""Addresses that a filter can hold (BPF_MAXINSNS is 4096); peers beyond them wait with the strangers."""


class Queue(IntEnum):
    """What a datagram is, as far as the kernel looks: the number is that of the socket that gets it."""

    FIRST = 0
    """Begins an IKE SA, from an address that nobody has proved; and whatever else is none of the others."""
    EXPECTED = 1
    """The same, from the address of a configured peer. It may be forged, but not by who does not know our peers."""
    PROVED = 2
    """Begins an IKE SA and brings a cookie, as its first payload (RFC 7296, 2.6). The engine looks whose it is."""
    STANDING = 3
    """Names an IKE SA of ours, at least by its form."""


class Port:
    """One socket for each queue, all bound to the same place. Raises `OSError` where it cannot be bound."""

    def __init__(self, local: Endpoint, device: str | None = None, expected: Iterable[Address] = ()) -> None:
        self._version = local.address.version
        self._sockets: list[socket.socket] = []
        try:
            for queue in Queue:
                # Before it is bound: not one datagram arrives unsorted.
                program = self._program(expected) if queue is Queue.FIRST else None
                self._sockets.append(_opened(local, device, program))
        except OSError:
            self.close()
            raise

    def expect(self, peers: Iterable[Address]) -> None:
        """Peers may come from these addresses, from now on."""
        _sort(self._sockets[Queue.FIRST], self._program(peers))

    def socket_of(self, queue: Queue) -> socket.socket:
        return self._sockets[queue]

    def send(self, octets: bytes, remote: Endpoint) -> None:
        self._sockets[Queue.FIRST].sendto(octets, (str(remote.address), remote.port))

    def _program(self, expected: Iterable[Address]) -> bytes:
        """Offsets are those of the IKE header (RFC 7296, 3.1) and of a notification behind it; a datagram that ends
        before one of them goes to the first queue."""
        known = sorted({_mixed(address) for address in expected if address.version == self._version})[:MOST_EXPECTED]
        first, *more = (_IP_HEADER + place for place in _SOURCE[self._version])
        program = [
            (_LOAD_WORD, 0, 8),  # the responder's SPI
            (_JUMP_UNLESS, 7, 0),
            (_LOAD_WORD, 0, 12),
            (_JUMP_UNLESS, 5, 0),
            (_LOAD_OCTET, 0, 16),  # the first payload
            (_JUMP_UNLESS, 4, int(PayloadType.NOTIFY)),
            (_LOAD_HALF, 0, 34),  # what it notifies of
            (_JUMP_UNLESS, 2, int(NotifyType.COOKIE)),
            (_RETURN, 0, Queue.PROVED),
            (_RETURN, 0, Queue.STANDING),
            (_LOAD_WORD, 0, first),
        ]
        for place in more:
            program += [(_KEEP, 0, 0), (_LOAD_WORD, 0, place), (_MIX, 0, 0)]
        for address in known:
            program += [(_JUMP_UNLESS, 1, address), (_RETURN, 0, Queue.EXPECTED)]
        program.append((_RETURN, 0, Queue.FIRST))
        return b"".join(_INSTRUCTION.pack(code, 0, jump, value) for code, jump, value in program)

    def close(self) -> None:
        for opened in self._sockets:
            opened.close()
        self._sockets.clear()


def _opened(local: Endpoint, device: str | None, program: bytes | None) -> socket.socket:
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
        if program is not None:
            _sort(opened, program)
        opened.bind((str(local.address), local.port))
    except OSError:
        opened.close()
        raise
    return opened


def _sort(opened: socket.socket, program: bytes) -> None:
    """One socket's filter is that of all of its port."""
    instructions = ctypes.create_string_buffer(program, len(program))
    filtering = struct.pack("@HP", len(program) // _INSTRUCTION.size, ctypes.addressof(instructions))
    opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, filtering)


def _mixed(address: Address) -> int:
    """The words of an address, mixed into one: an address of IPv4 is one word."""
    mixed = 0
    for (word,) in struct.iter_unpack(">I", address.packed):
        mixed ^= word
    return mixed


def _widen(opened: socket.socket) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except OSError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
