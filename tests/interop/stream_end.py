"""`python stream_end.py SOURCE DESTINATION RATE ACCOUNT`: one end of a stream of numbered datagrams.

It says `ready` once it can receive, sends and receives from SIGUSR1 to SIGTERM, receives what is still under way, and
writes when it sent what and when it received what: all clocks of one machine agree. It imports little: it begins fast.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import sys
import time
from array import array
from pathlib import Path

_PORT = 9000
_SIZE = 200
_RECEIVE_BUFFER = 16 << 20
_SO_RCVBUFFORCE = 33
_LATE = 1.5
"""Seconds for which packets may still be under way once the sending has ended."""
_AT_ONCE = 16
"""An end that was not given the processor for a while does not make up for it in one burst."""
_TICK = 0.002
_NEVER = float("inf")


class End:
    """Sends at its pace, receives whatever comes."""

    def __init__(self, source: str, destination: str, rate: float) -> None:
        self.sent_at = array("d")
        self.numbers = array("d")
        self.arrived_at = array("d")
        self._there = (destination, _PORT)
        self._period = 1 / rate if rate else _NEVER
        self._due = _NEVER
        self._until = _NEVER
        self._filling = bytes(_SIZE - 8)
        self._socket = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
        self._socket.bind((source, _PORT))
        self._socket.setblocking(False)
        signal.signal(signal.SIGUSR1, self._begin)
        signal.signal(signal.SIGTERM, self._end)

    def run(self) -> None:
        while (now := time.monotonic()) < self._until:
            if self._due <= now:
                self._send(now)
            select.select([self._socket], [], [], max(_TICK, min(self._due - now, 0.05)))
            self._receive()

    def write(self, path: Path) -> None:
        """Three lists of numbers, each behind its length."""
        with path.open("wb") as file:
            for values in (self.sent_at, self.numbers, self.arrived_at):
                array("d", [len(values)]).tofile(file)
                values.tofile(file)

    def _begin(self, *_: object) -> None:
        self._due = time.monotonic() if self._period < _NEVER else _NEVER

    def _end(self, *_: object) -> None:
        self._period = self._due = _NEVER
        self._until = time.monotonic() + _LATE

    def _send(self, now: float) -> None:
        for _ in range(_AT_ONCE):
            if self._due > now:
                return
            self.sent_at.append(time.monotonic())
            # One that is refused is a packet that does not arrive.
            with contextlib.suppress(OSError):
                self._socket.sendto((len(self.sent_at) - 1).to_bytes(8, "big") + self._filling, self._there)
            self._due += self._period
        self._due = max(self._due, now)

    def _receive(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                octets = self._socket.recv(2048)
                self.arrived_at.append(time.monotonic())
                self.numbers.append(int.from_bytes(octets[:8], "big"))


if __name__ == "__main__":
    end = End(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    print("ready", flush=True)
    end.run()
    end.write(Path(sys.argv[4]))
