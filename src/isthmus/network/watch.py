"""Whether somebody changed the host's network since we last looked: heard from the kernel, not polled for."""

from __future__ import annotations

import contextlib
import errno
import socket

_RTMGRP_LINK = 0x1
_RTMGRP_IPV4_IFADDR = 0x10
_RTMGRP_IPV4_ROUTE = 0x40
_RTMGRP_IPV6_IFADDR = 0x100
_RTMGRP_IPV6_ROUTE = 0x400
_ROUTE_GROUPS = _RTMGRP_LINK | _RTMGRP_IPV4_IFADDR | _RTMGRP_IPV4_ROUTE | _RTMGRP_IPV6_IFADDR | _RTMGRP_IPV6_ROUTE
_NETLINK_NETFILTER = 12
_NFNLGRP_NFTABLES = 7
"""linux/rtnetlink.h, linux/netlink.h, linux/netfilter/nfnetlink.h; Python does not name them."""

_LARGEST = 65536


class Watch:
    """Listens to the kernel's announcements, our own changes included. What they say is not read: a look will tell."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._listen(socket.NETLINK_ROUTE, _ROUTE_GROUPS)
        # A kernel without nftables announces nothing of it.
        with contextlib.suppress(OSError):
            self._listen(_NETLINK_NETFILTER, 1 << (_NFNLGRP_NFTABLES - 1))

    def changed(self) -> bool:
        """Whether anything was announced since the last call."""
        heard = [_drained(listening) for listening in self._sockets]
        return any(heard)

    def close(self) -> None:
        for listening in self._sockets:
            listening.close()
        self._sockets.clear()

    def _listen(self, protocol: int, groups: int) -> None:
        listening = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        try:
            listening.setblocking(False)
            listening.bind((0, groups))
        except OSError:
            listening.close()
            raise
        self._sockets.append(listening)


def _drained(listening: socket.socket) -> bool:
    heard = False
    while True:
        try:
            listening.recv(_LARGEST)
        except BlockingIOError:
            return heard
        except OSError as error:
            # ENOBUFS: so much was announced that some of it was lost. That something changed is all we want to know.
            if error.errno != errno.ENOBUFS:
                raise
        heard = True
