"""What the host's network is like: read, never changed."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path

from isthmus.model.address import Address
from isthmus.network.netlink import every_link, held_addresses
from isthmus.network.rtnetlink import Connection, LinkAttribute, as_number

_SYSCTL = Path("/proc/sys")
FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}


def addresses(interface: str) -> tuple[Address, ...]:
    """An interface's addresses, in the kernel's order, the widest scope first; none if there is no such interface."""
    try:
        index = socket.if_nametoindex(interface)
    except OSError:
        return ()
    with Connection() as kernel:
        found = [held for held in held_addresses(kernel) if held.index == index]
    return tuple(held.address for held in sorted(found, key=lambda held: held.scope))


def link_mtus() -> dict[str, int]:
    """The MTU of every interface of the host, by name."""
    with Connection() as kernel:
        return {name: as_number(told[LinkAttribute.MTU]) for name, _, _, told in every_link(kernel)}


def unforwarded(versions: Iterable[int]) -> tuple[int, ...]:
    """Those of the IP versions that this host does not forward."""
    return tuple(version for version in sorted(versions) if not _forwards(version))


def _forwards(version: int) -> bool:
    try:
        return (_SYSCTL / FORWARDING[version].replace(".", "/")).read_text().strip() != "0"
    except OSError:
        return False
