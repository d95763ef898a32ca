"""What a service manager hears from us: sd_notify(3), without its library."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from typing import Final


class Supervisor:
    """systemd, or nobody: then every message is dropped."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero octet of an abstract socket.
        self._address: Final = "\0" + address[1:] if address.startswith("@") else address
        self.watched: Final = _watched(environment)
        self._said = ""

    def ready(self) -> None:
        self._send("READY=1")

    def reloading(self) -> None:
        """`ready` ends it. The instant tells a reload that we were asked for from one that began by itself."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def alive(self) -> None:
        """For the watchdog."""
        if self.watched:
            self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`, if it changed."""
        if text != self._said:
            self._said = text
            self._send(f"STATUS={text}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notification:
            notification.setblocking(False)
            notification.sendto(message.encode(), self._address)


def _watched(environment: Mapping[str, str]) -> bool:
    """Whether the manager expects signs of life from this very process."""
    return "WATCHDOG_USEC" in environment and environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
