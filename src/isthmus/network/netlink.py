"""The kernel's side of the state: what of it is ours, and single changes to it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface, ip_network
from types import TracebackType
from typing import Self, assert_never

from isthmus.model.address import Address
from isthmus.network import rtnetlink
from isthmus.network.desired import InterfaceAddressed, Link, Route
from isthmus.network.rtnetlink import (
    UP,
    AddressAttribute,
    Attributes,
    Connection,
    KernelRefusal,
    Kind,
    LinkAttribute,
    RouteAttribute,
)

OUR_ALIAS = "isthmus"
OUR_PROTOCOL = 73
MAIN_TABLE = 254
SCOPE_LINK = 253
SCOPE_UNIVERSE = 0
RTN_UNICAST = 1
RTN_UNREACHABLE = 7
_ADDRESS_GENERATION = 8
_NO_ADDRESSES = 1
"""IFLA_INET6_ADDR_GEN_MODE, and IN6_ADDR_GEN_MODE_NONE."""
_WITHOUT_STATISTICS = 8
"""RTEXT_FILTER_SKIP_STATS: they are most of what is told of a link."""
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_UNSPECIFIED = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


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


@dataclass(frozen=True, slots=True)
class HeldAddress:
    index: int
    """Of the interface that holds it."""
    address: Address
    length: int
    scope: int


class Netlink:
    """One netlink connection, for one reconciliation. Not to be used on a thread that runs an event loop."""

    def __init__(self) -> None:
        self._kernel = Connection()
        self._index: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kernel.close()

    def present(self) -> PresentState:
        """The state as it is now."""
        links = {}
        self._index = {}
        for name, index, flags, told in every_link(self._kernel):
            alias = rtnetlink.as_text(told.get(LinkAttribute.ALIAS, b""))
            mtu = rtnetlink.as_number(told[LinkAttribute.MTU])
            links[name] = PresentLink(index, mtu, bool(flags & UP), alias == OUR_ALIAS)
            self._index[name] = index
        names = {link.index: name for name, link in links.items()}
        ours = {link.index for link in links.values() if link.ours}
        addresses = frozenset(
            InterfaceAddressed(names[held.index], ip_interface(f"{held.address}/{held.length}"))
            for held in (held_addresses(self._kernel) if ours else ())
            if held.index in ours
        )
        return PresentState(links, addresses, self._routes(names))

    def set_up(self, link: Link) -> None:
        """Takes a link for ours, sets its MTU and brings it up."""
        subject = rtnetlink.LINK.pack(0, 0, self._of(link.name), 0, 0)
        as_wanted = (
            rtnetlink.text(LinkAttribute.ALIAS, OUR_ALIAS),
            rtnetlink.number(LinkAttribute.MTU, link.mtu),
        )
        # No link-local address: its router solicitations would be packets that ask for an SA. Before `up`, which
        # is when the kernel makes one.
        mode = rtnetlink.attribute(_ADDRESS_GENERATION, bytes([_NO_ADDRESSES]))
        quiet = rtnetlink.nested(LinkAttribute.AF_SPEC, rtnetlink.nested(socket.AF_INET6, mode))
        try:
            self._kernel.change(Kind.SET_LINK, subject, *as_wanted, quiet)
        except KernelRefusal:
            # A kernel without IPv6 knows no such mode, and needs none.
            self._kernel.change(Kind.SET_LINK, subject, *as_wanted)
        self._kernel.change(Kind.SET_LINK, rtnetlink.LINK.pack(0, 0, self._of(link.name), UP, UP))

    def delete_link(self, name: str) -> None:
        self._kernel.change(Kind.DELETE_LINK, rtnetlink.LINK.pack(0, 0, self._of(name), 0, 0))

    def add(self, what: InterfaceAddressed | Route) -> None:
        """Adds, and never replaces: a route of somebody else with the same destination and metric is a refusal."""
        match what:
            case InterfaceAddressed():
                self._kernel.change(Kind.NEW_ADDRESS, *self._address(what))
            case Route():
                self._kernel.change(Kind.NEW_ROUTE, *self._route(what))
            case _:
                assert_never(what)

    def delete(self, what: InterfaceAddressed | Route) -> None:
        match what:
            case InterfaceAddressed():
                self._kernel.change(Kind.DELETE_ADDRESS, *self._address(what))
            case Route():
                self._kernel.change(Kind.DELETE_ROUTE, *self._route(what))
            case _:
                assert_never(what)

    def _address(self, subject: InterfaceAddressed) -> tuple[bytes, ...]:
        address = subject.address
        length, index = address.network.prefixlen, self._of(subject.interface)
        return (
            rtnetlink.ADDRESS.pack(_FAMILIES[address.version], length, 0, SCOPE_UNIVERSE, index),
            rtnetlink.attribute(AddressAttribute.LOCAL, address.ip.packed),
            rtnetlink.attribute(AddressAttribute.ADDRESS, address.ip.packed),
        )

    def _route(self, route: Route) -> tuple[bytes, ...]:
        destination = route.destination
        family, length = _FAMILIES[destination.version], destination.prefixlen
        scope, kind, way = SCOPE_UNIVERSE, RTN_UNREACHABLE, b""
        if route.interface is not None:
            kind, way = RTN_UNICAST, rtnetlink.number(RouteAttribute.OUT, self._of(route.interface))
            scope = SCOPE_LINK if destination.version == 4 else SCOPE_UNIVERSE
        return (
            rtnetlink.ROUTE.pack(family, length, 0, 0, MAIN_TABLE, OUR_PROTOCOL, scope, kind, 0),
            rtnetlink.attribute(RouteAttribute.DESTINATION, destination.network_address.packed),
            rtnetlink.number(RouteAttribute.PRIORITY, route.metric),
            way,
        )

    def _routes(self, names: dict[int, str]) -> frozenset[Route]:
        found = set()
        for family in _UNSPECIFIED:
            wanted = rtnetlink.ROUTE.pack(family, 0, 0, 0, MAIN_TABLE, OUR_PROTOCOL, 0, 0, 0)
            for fixed, told in self._kernel.list(Kind.GET_ROUTE, wanted):
                told_family, length, _, _, table, protocol, _, kind, _ = rtnetlink.ROUTE.unpack(fixed)
                # A kernel before 4.20 selects nothing by itself, one without IPv6 tells its other routes.
                if (told_family, table, protocol) != (family, MAIN_TABLE, OUR_PROTOCOL):
                    continue
                packed = told.get(RouteAttribute.DESTINATION)
                destination = ip_address(packed) if packed else _UNSPECIFIED[family]
                out = told.get(RouteAttribute.OUT)
                interface = names.get(rtnetlink.as_number(out)) if out and kind != RTN_UNREACHABLE else None
                metric = told.get(RouteAttribute.PRIORITY)
                found.add(
                    Route(
                        ip_network(f"{destination}/{length}"), interface, rtnetlink.as_number(metric) if metric else 0
                    )
                )
        return frozenset(found)

    def _of(self, name: str) -> int:
        try:
            return self._index[name]
        except KeyError:
            raise KernelRefusal(f"there is no interface {name}") from None


def every_link(kernel: Connection) -> Iterator[tuple[str, int, int, Attributes]]:
    """Name, index, flags and attributes of each."""
    brief = rtnetlink.number(LinkAttribute.EXT_MASK, _WITHOUT_STATISTICS)
    for fixed, told in kernel.list(Kind.GET_LINK, rtnetlink.LINK.pack(0, 0, 0, 0, 0), brief):
        _, _, index, flags, _ = rtnetlink.LINK.unpack(fixed)
        yield rtnetlink.as_text(told[LinkAttribute.NAME]), index, flags, told


def held_addresses(kernel: Connection) -> Iterator[HeldAddress]:
    """Every address of every interface, in the kernel's order."""
    for fixed, told in kernel.list(Kind.GET_ADDRESS, rtnetlink.ADDRESS.pack(0, 0, 0, 0, 0)):
        _, length, _, scope, index = rtnetlink.ADDRESS.unpack(fixed)
        # Point-to-point interfaces have their own address in LOCAL and the peer's in ADDRESS.
        packed = told.get(AddressAttribute.LOCAL) or told.get(AddressAttribute.ADDRESS)
        if packed:
            yield HeldAddress(index, ip_address(packed), length, scope)
