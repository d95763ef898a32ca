"""The kernel's side of the state: what of it is ours, and single changes to it, through pyroute2."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from ipaddress import ip_interface, ip_network
from types import TracebackType
from typing import Any, Self, assert_never

from isthmus.network.desired import InterfaceAddressed, Link, Route

OUR_ALIAS = "isthmus"
OUR_PROTOCOL = 73
MAIN_TABLE = 254
SCOPE_LINK = 253
RTN_UNREACHABLE = 7
ADDRESS_GENERATION_NONE = 1
_UNSPECIFIED = {socket.AF_INET: "0.0.0.0/0", socket.AF_INET6: "::/0"}


class KernelRefusal(Exception):
    """The kernel did not do one thing."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class PresentLink:
    index: int
    mtu: int
    up: bool
    ours: bool


@dataclass(frozen=True, slots=True)
class PresentState:
    """Every link of the host; of addresses and routes, those that may be ours."""

    links: dict[str, PresentLink] = field(default_factory=dict)
    addresses: frozenset[InterfaceAddressed] = frozenset()
    routes: frozenset[Route] = frozenset()


class Netlink:
    """One netlink connection, for one reconciliation. Not to be used on a thread that runs an event loop."""

    def __init__(self) -> None:
        from pyroute2 import IPRoute  # takes half a second: paid by the daemon, not by every command

        # Strict checking lets the kernel select routes by protocol: a host may carry a full BGP table.
        self._netlink = IPRoute(strict_check=True)
        self._index: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._netlink.close()

    def present(self) -> PresentState:
        """The state as it is now."""
        links = {m.get("ifname"): _present_link(m) for m in self._netlink.get_links()}
        self._index = {name: link.index for name, link in links.items()}
        names = {link.index: name for name, link in links.items()}
        ours = {link.index for link in links.values() if link.ours}
        addresses = frozenset(
            InterfaceAddressed(
                names[m["index"]], ip_interface(f"{m.get('local') or m.get('address')}/{m['prefixlen']}")
            )
            for m in (self._netlink.get_addr() if ours else ())
            if m["index"] in ours
        )
        return PresentState(links, addresses, self._routes(names))

    def set_up(self, link: Link) -> None:
        """Takes a link for ours, sets its MTU and brings it up."""
        index = self._of(link.name)
        # No link-local address: its router solicitations would be packets that ask for an SA. Before `up`, which
        # is when the kernel makes one.
        quiet = {"attrs": [["AF_INET6", {"attrs": [["IFLA_INET6_ADDR_GEN_MODE", ADDRESS_GENERATION_NONE]]}]]}
        try:
            self._do("link", "set", index=index, ifalias=OUR_ALIAS, mtu=link.mtu, IFLA_AF_SPEC=quiet)
        except KernelRefusal:
            # A kernel without IPv6 knows no such mode, and needs none.
            self._do("link", "set", index=index, ifalias=OUR_ALIAS, mtu=link.mtu)
        self._do("link", "set", index=index, state="up")

    def delete_link(self, name: str) -> None:
        self._do("link", "del", index=self._of(name))

    def add(self, what: InterfaceAddressed | Route) -> None:
        """Adds, and never replaces: a route of somebody else with the same destination and metric is a refusal."""
        self._change("add", what)

    def delete(self, what: InterfaceAddressed | Route) -> None:
        self._change("del", what)

    def _change(self, verb: str, what: InterfaceAddressed | Route) -> None:
        match what:
            case InterfaceAddressed():
                self._do("addr", verb, **self._address(what))
            case Route():
                self._do("route", verb, **self._route(what))
            case _:
                assert_never(what)

    def _address(self, subject: InterfaceAddressed) -> dict[str, Any]:
        address = subject.address
        return {
            "index": self._of(subject.interface),
            "address": str(address.ip),
            "prefixlen": address.network.prefixlen,
            "family": socket.AF_INET if address.version == 4 else socket.AF_INET6,
        }

    def _route(self, route: Route) -> dict[str, Any]:
        request: dict[str, Any] = {
            "dst": str(route.destination),
            "family": socket.AF_INET if route.destination.version == 4 else socket.AF_INET6,
            "table": MAIN_TABLE,
            "priority": route.metric,
            "proto": OUR_PROTOCOL,
        }
        if route.interface is None:
            return {**request, "type": "unreachable"}
        request["oif"] = self._of(route.interface)
        if route.destination.version == 4:
            request["scope"] = SCOPE_LINK
        return request

    def _routes(self, names: dict[int, str]) -> frozenset[Route]:
        found = set()
        for family in (socket.AF_INET, socket.AF_INET6):
            for message in self._netlink.get_routes(family=family, proto=OUR_PROTOCOL, table=MAIN_TABLE):
                # A kernel before 4.20 selects nothing by itself.
                if message["proto"] != OUR_PROTOCOL or message.get("table") != MAIN_TABLE:
                    continue
                destination = message.get("dst")
                text = f"{destination}/{message['dst_len']}" if destination else _UNSPECIFIED[family]
                backstop = message["type"] == RTN_UNREACHABLE
                interface = None if backstop else names.get(message.get("oif"))
                found.add(Route(ip_network(text), interface, message.get("priority") or 0))
        return frozenset(found)

    def _of(self, name: str) -> int:
        try:
            return self._index[name]
        except KeyError:
            raise KernelRefusal(f"there is no interface {name}") from None

    def _do(self, noun: str, verb: str, **request: Any) -> None:
        from pyroute2.netlink.exceptions import NetlinkError

        try:
            getattr(self._netlink, noun)(verb, **request)
        except NetlinkError as error:
            raise KernelRefusal(error.args[1] if len(error.args) > 1 else str(error)) from error
        except OSError as error:
            raise KernelRefusal(error.strerror or str(error)) from error


def _present_link(message: Any) -> PresentLink:
    up = message.get("state") == "up"
    return PresentLink(message["index"], message.get("mtu"), up, message.get("ifalias") == OUR_ALIAS)
