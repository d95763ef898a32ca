"""Traffic between hosts: pings and a file, without any program of the host's."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import struct
import threading
import time
from dataclasses import dataclass

from isthmus.lab.namespaces import Namespace
from isthmus.model.address import Address

_ECHO = {4: (socket.AF_INET, socket.IPPROTO_ICMP, 8), 6: (socket.AF_INET6, socket.IPPROTO_ICMPV6, 128)}
_PATIENCE = 5.0


def ping(where: Namespace, source: Address, destination: Address, count: int, wait: float = 1.0) -> tuple[float, ...]:
    """The round-trip times, in seconds, of those of `count` echo requests that were answered."""
    family, protocol, request = _ECHO[source.version]
    with where.inside(), socket.socket(family, socket.SOCK_DGRAM, protocol) as echo:
        echo.bind((str(source), 0))
        echo.settimeout(wait)
        answered = []
        for number in range(1, count + 1):
            sent = time.monotonic()
            # The kernel fills in the identifier and the checksum of such a socket.
            message = struct.pack("!BBHHH", request, 0, 0, 0, number) + bytes(48)
            try:
                echo.sendto(message, (str(destination), 0))
                while struct.unpack_from("!H", echo.recv(1500), 6)[0] != number:
                    continue
            except OSError:
                continue
            answered.append(time.monotonic() - sent)
        return tuple(answered)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file that went from one host to another."""

    octets: int
    seconds: float
    intact: bool
    """Both ends computed the same SHA-256."""


def lines(marker: str, size: int) -> bytes:
    """A text of about `size` octets, each line numbered and with the marker in it."""
    first = f"{0:08} {marker}\n"
    return "".join(f"{n:08} {marker}\n" for n in range(size // len(first))).encode()


def move(
    content: bytes, *, here: Namespace, source: Address, there: Namespace, destination: Address, port: int
) -> Transfer:
    """Sends `content` by TCP from a host here to a host there."""
    family = _ECHO[source.version][0]
    with there.inside():
        listener = socket.create_server((str(destination), port), family=family)
    with here.inside():
        sender = socket.socket(family, socket.SOCK_STREAM)
    received = hashlib.sha256()

    def receive() -> None:
        # A receiver that fails sends no digest: the sender finds that out.
        with contextlib.suppress(OSError), listener.accept()[0] as connection:
            connection.settimeout(_PATIENCE)
            for piece in iter(lambda: connection.recv(1 << 16), b""):
                received.update(piece)
            connection.sendall(received.digest())

    with listener, sender:
        listener.settimeout(_PATIENCE)
        receiver = threading.Thread(target=receive, name="receiver", daemon=True)
        receiver.start()
        began = time.monotonic()
        try:
            sender.settimeout(_PATIENCE)
            sender.bind((str(source), 0))
            sender.connect((str(destination), port))
            sender.sendall(content)
            sender.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: sender.recv(64), b""))
        except OSError:
            answer = b""
        took = time.monotonic() - began
        receiver.join(_PATIENCE)
    return Transfer(len(content), took, answer == hashlib.sha256(content).digest())
