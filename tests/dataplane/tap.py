"""Puts packets onto an interface below the IP layer, and takes them off again."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from pathlib import Path

from isthmus.lab.namespaces import Namespace

PATIENCE = 10.0
"""Seconds after which something that must come has not come: long, for a machine that is busy."""

_HOST = 0
"""linux/if_packet.h, PACKET_HOST: it arrived; what leaves is of another kind."""
_SO_RCVBUFFORCE = 33
"""asm-generic/socket.h; the socket module has it not."""
_ALL = 3
"""linux/if_ether.h, ETH_P_ALL."""
_TYPES = {4: 0x0800, 6: 0x86DD}


class Tap:
    """Whole IP packets, in and out of one interface."""

    def __init__(self, namespace: Namespace, interface: str) -> None:
        with namespace.inside():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL))
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 16 << 20)
            self._socket.bind((interface, _ALL))
        self._interface = interface

    def send(self, packet: bytes) -> None:
        """The packet leaves by the interface, as if the system had routed it there."""
        self._socket.sendto(packet, (self._interface, _TYPES[packet[0] >> 4]))

    def receive(self, enough: Callable[[], bool] = lambda: False) -> bytes | None:
        """The next packet that arrives at the interface; None when `enough` is true before."""
        for _ in range(int(PATIENCE / 0.01)):
            if (packet := self._arrived(0.01)) is not None:
                return packet
            if enough():
                # It may have come between the two looks.
                return self._arrived(0)
        raise TimeoutError(f"nothing arrived at {self._interface}")

    def _arrived(self, wait: float) -> bytes | None:
        while select.select([self._socket], [], [], wait)[0]:
            packet, address = self._socket.recvfrom(65535)
            if address[2] == _HOST:
                return packet
            wait = 0
        return None

    def close(self) -> None:
        self._socket.close()


def silence(namespace: Namespace, interface: str) -> None:
    """Without IPv6 of its own the interface says nothing that nobody asked for."""
    with namespace.inside():
        Path(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6").write_text("1")
