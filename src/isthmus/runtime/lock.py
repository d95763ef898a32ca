"""One gateway in one network namespace: two would take each other's routes, rules and interfaces for leftovers."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

NAME = "\0isthmus"
"""An abstract socket: the kernel keeps its names apart by network namespace, and it dies with its process, however
that ends. There is no file to be stale or to be left behind."""


class AlreadyRunning(Exception):
    """Another process holds the lock of this network namespace."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@contextmanager
def held() -> Iterator[None]:
    """Holds the lock, or raises `AlreadyRunning`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as lock:
        try:
            lock.bind(NAME)
        except OSError:
            raise AlreadyRunning(f"another gateway runs in this network namespace{_holder()}") from None
        lock.listen(1)
        yield


def _holder() -> str:
    """Who it is, from the socket's credentials."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as visitor:
            visitor.setblocking(False)
            visitor.connect(NAME)
            credentials = visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return ""
    process, user, _group = struct.unpack("3i", credentials)
    return f": process {process} of user {user}"
