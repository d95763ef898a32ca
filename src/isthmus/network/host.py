"""What the host's network is like: read, never changed."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from isthmus.model.address import Address

_SYSCTL = Path("/proc/sys")
FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}


def addresses(interface: str) -> tuple[Address, ...]:
    """An interface's addresses, in the kernel's order, the widest scope first; none if there is no such interface."""
    # Imported here: netlink's tables take half a second, and `check` of a file may need none of them.
    from pyroute2 import IPRoute

    with IPRoute() as netlink:
        index = next(iter(netlink.link_lookup(ifname=interface)), None)
        if index is None:
            return ()
        found = [m for m in netlink.get_addr(index=index) if m["index"] == index]
    # Point-to-point interfaces have their own address in `local` and the peer's in `address`.
    texts = [message.get("local") or message.get("address") for message in sorted(found, key=lambda m: m["scope"])]
    return tuple(ip_address(text) for text in texts if text)


def link_mtus() -> dict[str, int]:
    """The MTU of every interface of the host, by name."""
    from pyroute2 import IPRoute

    with IPRoute() as netlink:
        return {message.get("ifname"): message.get("mtu") for message in netlink.get_links()}


def unforwarded(versions: Iterable[int]) -> tuple[int, ...]:
    """Those of the IP versions that this host does not forward."""
    return tuple(version for version in sorted(versions) if not _forwards(version))


def _forwards(version: int) -> bool:
    try:
        return (_SYSCTL / FORWARDING[version].replace(".", "/")).read_text().strip() != "0"
    except OSError:
        return False
