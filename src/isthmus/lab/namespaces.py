"""Network namespaces and the cables between them; all of it disappears with the `Playground`."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from pathlib import Path
from types import TracebackType
from typing import IO, TypeAlias

from pyroute2 import IPRoute, netns

from isthmus.model.address import Address

_CLONE_NEWNET = 0x40000000
_TENTATIVE = 0x40
"""IFA_F_TENTATIVE of linux/if_addr.h."""
_LIBC = ctypes.CDLL(None, use_errno=True)

InterfaceAddress: TypeAlias = IPv4Interface | IPv6Interface
Network: TypeAlias = IPv4Network | IPv6Network


class Namespace:
    """One network namespace: a host of its own, as far as the network is concerned."""

    def __init__(self, name: str) -> None:
        self.name = name
        netns.create(name)
        with self.inside():
            self._links = IPRoute()
            # Duplicate address detection would hold every IPv6 address back for a second, on a wire of two.
            _sysctl("net/ipv6/conf/default/accept_dad", "0")
            _sysctl("net/ipv4/conf/all/rp_filter", "0")
            _sysctl("net/ipv4/conf/default/rp_filter", "0")
            # Sockets for pings, without a raw one: for root's group.
            _sysctl("net/ipv4/ping_group_range", "0 0")
        self.up("lo")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread is in the namespace: sockets that it makes and processes that it starts stay there for good."""
        home = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        try:
            _enter(there)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)
            os.close(there)

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        output: IO[bytes] | int = subprocess.DEVNULL,
        environment: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts a process in here; the caller ends it."""
        with self.inside():
            return subprocess.Popen(  # noqa: S603 - a list of words, no shell
                [str(a) for a in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | (environment or {}),
            )

    def run(self, *argv: str | Path, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Runs a command in here to its end; its exit status is the caller's to judge."""
        with self.inside():
            return subprocess.run(  # noqa: S603 - as above
                [str(a) for a in argv], capture_output=True, text=True, timeout=timeout, check=False
            )

    def up(self, interface: str) -> None:
        self._links.link("set", index=self._index(interface), state="up")

    def cable(self, interface: str, other: Namespace, other_interface: str, mtu: int = 1500) -> None:
        """Joins an interface here with one there."""
        self._links.link(
            "add",
            ifname=interface,
            kind="veth",
            mtu=mtu,
            peer={"ifname": other_interface, "net_ns_fd": other.name, "mtu": mtu},
        )
        self.up(interface)
        other.up(other_interface)

    def address(self, interface: str, address: InterfaceAddress) -> None:
        index = self._index(interface)
        self._links.addr("add", index=index, address=str(address.ip), prefixlen=address.network.prefixlen)
        # The kernel makes an IPv6 address usable a little later, in a thread of its own, even without detection.
        for _ in range(1000 if address.version == 6 else 0):
            known = self._links.get_addr(index=index, family=socket.AF_INET6, address=str(address.ip))
            if not any(a["flags"] & _TENTATIVE for a in known):
                break
            time.sleep(0.001)

    def route(self, destination: Network, interface: str, via: Address | None = None) -> None:
        """A route by way of `via`, which must be on that link; without it the destination itself is."""
        where = {"gateway": str(via)} if via else {"scope": "link"}
        family = {4: 2, 6: 10}[destination.version]
        self._links.route("add", dst=str(destination), oif=self._index(interface), family=family, **where)

    def forward(self) -> None:
        """Packets may pass through."""
        with self.inside():
            _sysctl("net/ipv4/ip_forward", "1")
            _sysctl("net/ipv6/conf/all/forwarding", "1")

    def fingerprint(self) -> frozenset[str]:
        """Every link, address, route and rule as a line of text: two of these tell what was added or lost."""
        names = {link["index"]: link.get("ifname") for link in self._links.get_links()}
        lines = [f"link {name}" for name in names.values()]
        for address in self._links.get_addr():
            lines.append(f"address {address.get('address')}/{address['prefixlen']} on {names.get(address['index'])}")
        for route in self._links.get_routes():
            interface = names.get(route.get("oif"), "no interface")
            target = f"{route.get('dst') or 'default'}/{route['dst_len']}"
            lines.append(f"route {target} by {interface} in table {route.get('table') or route['table']}")
        for family in (2, 10):
            for rule in self._links.get_rules(family=family):
                lines.append(f"rule {rule.get('priority')} to table {rule.get('table') or rule['table']} ({family})")
        # Link-local addresses come by themselves, some time after their link.
        return frozenset(line for line in lines if " fe80:" not in line and " ff00:" not in line)

    def remove(self) -> None:
        self._links.close()
        netns.remove(self.name)

    def _index(self, interface: str) -> int:
        found: list[int] = self._links.link_lookup(ifname=interface)
        if not found:
            raise LookupError(f"no interface {interface} in {self.name}")
        return found[0]


class Playground:
    """Owns namespaces and removes them. Their names carry the process's number, so several can stand at once."""

    def __init__(self, prefix: str = "lab") -> None:
        self._prefix = f"{prefix}{os.getpid()}"
        self._made: list[Namespace] = []

    def namespace(self, name: str) -> Namespace:
        made = Namespace(f"{self._prefix}-{name}")
        self._made.append(made)
        return made

    def close(self) -> None:
        with ExitStack() as removals:
            while self._made:
                removals.callback(self._made.pop(0).remove)

    def __enter__(self) -> Playground:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _sysctl(path: str, value: str) -> None:
    Path("/proc/sys", path).write_text(value)
