"""A network namespace that lives as long as one thread: it has no name, and nothing of it can be left behind."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_INFORMATION = 0x1001

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/dev/net/tun").exists(), reason="needs root and /dev/net/tun"
)


class Namespace:
    """Runs functions on its thread, hence in its namespace."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, initializer=_unshare)
        self._devices: dict[str, int] = {}

    def run(self, function: Callable[[], T]) -> T:
        return self._thread.submit(function).result(timeout=30)

    def shell(self, command: str) -> str:
        """The output of a command, with its runs of blanks folded."""
        return self.run(lambda: _shell(command))

    def cable(self, name: str) -> None:
        """An interface like those of a host; its other end lies beside it."""
        self.shell(f"ip link add {name} type veth peer name {name}-peer")
        self.shell(f"ip link set {name} up; ip link set {name}-peer up")

    def tun(self, name: str) -> None:
        """A device like those of the data plane: there until it is dropped."""
        self._devices[name] = self.run(lambda: open_tun(name))

    def drop(self, name: str) -> None:
        os.close(self._devices.pop(name))

    def close(self) -> None:
        for name in tuple(self._devices):
            self.drop(name)
        self._thread.shutdown()


@contextmanager
def namespace() -> Iterator[Namespace]:
    inside = Namespace()
    try:
        yield inside
    finally:
        inside.close()


def _unshare() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")


def _shell(command: str) -> str:
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    return "\n".join(" ".join(line.split()) for line in done.stdout.splitlines())


def open_tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN_WITHOUT_INFORMATION))
    return device
