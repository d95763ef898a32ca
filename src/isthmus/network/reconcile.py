"""From the state that is to the state that a plan wants: the difference, and nothing but the difference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from isthmus.events.event import Event
from isthmus.events.network import (
    ClampMissing,
    ForwardingOff,
    LeftoversRemoved,
    MtuChosen,
    NetworkRefused,
)
from isthmus.model.quantities import Instant
from isthmus.network import clamp, guard, host
from isthmus.network.desired import NOTHING, DesiredState, InterfaceAddressed, Link, Route
from isthmus.network.guard import Guarded
from isthmus.network.netlink import KernelRefusal, Netlink, PresentState
from isthmus.network.nftables import NftRefusal


@dataclass(frozen=True, slots=True)
class SetUp:
    link: Link

    def __str__(self) -> str:
        return f"set {self.link.name} up with MTU {self.link.mtu}"


@dataclass(frozen=True, slots=True)
class Add:
    what: InterfaceAddressed | Route

    def __str__(self) -> str:
        return f"add {self.what}"


@dataclass(frozen=True, slots=True)
class Delete:
    what: InterfaceAddressed | Route

    def __str__(self) -> str:
        return f"delete {self.what}"


@dataclass(frozen=True, slots=True)
class DeleteLink:
    """Only for what an earlier run left; our own interfaces go with the data plane that holds them."""

    name: str

    def __str__(self) -> str:
        return f"delete interface {self.name}"


Change: TypeAlias = SetUp | Add | Delete | DeleteLink


def difference(desired: DesiredState, applied: DesiredState, present: PresentState) -> tuple[Change, ...]:
    """What must be done, in an order that never opens a way around a tunnel.

    Backstops come first and go last, and what replaces a route stands before the old one goes. Of addresses, only
    those that we gave are taken back: what the operator added to our interface by hand is the operator's.
    """
    return (
        *_added(route for route in desired.routes - present.routes if route.interface is None),
        *(SetUp(link) for link in desired.links.values() if not _stands(link, present)),
        *_added(desired.addresses - present.addresses),
        *_added(route for route in desired.routes - present.routes if route.interface is not None),
        *_deleted(route for route in present.routes - desired.routes if route.interface is not None),
        *_deleted(present.addresses & (applied.addresses - desired.addresses)),
        *_deleted(route for route in present.routes - desired.routes if route.interface is None),
    )


def _added(things: Iterable[InterfaceAddressed | Route]) -> Iterable[Add]:
    return (Add(thing) for thing in sorted(things, key=str))


def _deleted(things: Iterable[InterfaceAddressed | Route]) -> Iterable[Delete]:
    return (Delete(thing) for thing in sorted(things, key=str))


def _stands(link: Link, present: PresentState) -> bool:
    there = present.links.get(link.name)
    return there is not None and there.ours and there.up and there.mtu == link.mtu


class HostNetwork:
    """Our part of the host's network. Each method blocks on the kernel and returns what is worth telling."""

    def __init__(self) -> None:
        self._applied = NOTHING
        self._clamped: frozenset[str] = frozenset()
        self._guarded: frozenset[Guarded] = frozenset()
        self._told: frozenset[tuple[str, str]] = frozenset()

    @property
    def links(self) -> dict[str, Link]:
        """The tunnel interfaces as applied, with the reasons for their MTUs."""
        return dict(self._applied.links)

    def foreign(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the names that an interface of somebody else bears already."""
        with Netlink() as netlink:
            links = netlink.present().links
        return tuple(name for name in names if name in links and not links[name].ours)

    def clean(self, desired: DesiredState, at: Instant) -> tuple[Event, ...]:
        """Removes what an earlier run left behind, but for what is wanted again.

        A backstop that holds since a crash goes on to hold until the tunnel's own route stands before it.
        """
        events: list[Event] = []
        removed: list[str] = []
        with Netlink() as netlink:
            present = netlink.present()
            unwanted = replace(present, routes=present.routes - desired.routes)
            for change in (
                *difference(NOTHING, NOTHING, unwanted),
                *(DeleteLink(name) for name, link in present.links.items() if link.ours),
            ):
                refused = _attempt(netlink, change, at)
                events += refused
                if not refused:
                    removed.append(str(change).removeprefix("delete "))
        # A guard that is wanted again goes on to hold, until `apply` replaces it.
        for table in (clamp.TABLE, *(() if desired.guarded else (guard.TABLE,))):
            try:
                if table.remove():
                    removed.append(str(table))
            except NftRefusal as refusal:
                events.append(NetworkRefused(at=at, change=f"delete {table}", why=refusal.why))
        if removed:
            events.append(LeftoversRemoved(at=at, what=tuple(removed)))
        return tuple(events)

    def apply(self, desired: DesiredState, at: Instant) -> tuple[Event, ...]:
        """Makes the host as desired. Doing it again does nothing; a refusal is told once until it is gone."""
        # What is newly guarded is so before a route leads there, and what no longer is after none does.
        guarded = desired.guarded | self._guarded
        events: list[Event] = list(self._guard(guarded, at))
        with Netlink() as netlink:
            for change in difference(desired, self._applied, netlink.present()):
                events += _attempt(netlink, change, at)
        if guarded != desired.guarded:
            events += self._guard(desired.guarded, at)
        events += self._clamp(desired, at)
        before, self._applied = self._applied, desired
        events += [
            MtuChosen(at=at, interface=link.name, mtu=link.mtu, because=link.because)
            for link in desired.links.values()
            if before.links.get(link.name) != link
        ]
        for version in host.unforwarded(desired.versions):
            events.append(ForwardingOff(at=at, family=f"IPv{version}", sysctl=host.FORWARDING[version]))
        return self._news(events)

    def remove(self, at: Instant) -> tuple[Event, ...]:
        """Takes back all that `apply` did. The interfaces themselves go with the data plane."""
        return self.apply(NOTHING, at)

    def _clamp(self, desired: DesiredState, at: Instant) -> Iterable[Event]:
        wanted = frozenset(desired.links)
        try:
            # A firewall that is reloaded flushes the tables of others, too: look, and do not rely on memory.
            if wanted == self._clamped and clamp.TABLE.present == bool(wanted):
                return
            if wanted:
                clamp.TABLE.replace(clamp.objects(wanted))
            else:
                clamp.TABLE.remove()
            self._clamped = wanted
        except NftRefusal as refusal:
            yield ClampMissing(at=at, why=refusal.why)

    def _guard(self, wanted: frozenset[Guarded], at: Instant) -> Iterable[Event]:
        if not wanted and not self._guarded:
            return
        try:
            if wanted == self._guarded and guard.TABLE.present:
                return
            if wanted:
                guard.TABLE.replace(guard.objects(wanted))
            else:
                guard.TABLE.remove()
            self._guarded = wanted
        except NftRefusal as refusal:
            yield NetworkRefused(at=at, change=f"set {guard.TABLE}", why=refusal.why)

    def _news(self, events: list[Event]) -> tuple[Event, ...]:
        """What was not told the last time: reconciliation repeats, its complaints do not."""
        before, self._told = self._told, frozenset((event.code, event.tell()) for event in events)
        return tuple(event for event in events if (event.code, event.tell()) not in before)


def _attempt(netlink: Netlink, change: Change, at: Instant) -> list[Event]:
    try:
        _perform(netlink, change)
    except KernelRefusal as refusal:
        return [NetworkRefused(at=at, change=str(change), why=refusal.why)]
    return []


def _perform(netlink: Netlink, change: Change) -> None:
    match change:
        case SetUp(link):
            netlink.set_up(link)
        case DeleteLink(name):
            netlink.delete_link(name)
        case Add(what):
            netlink.add(what)
        case Delete(what):
            netlink.delete(what)
        case _:
            assert_never(change)
