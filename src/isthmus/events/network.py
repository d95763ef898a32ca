"""Facts about the host's links, addresses, routes and rules, as far as they are ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from isthmus.events.event import Event, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRefused(Event):
    """The host did not take one change; the others were made."""

    code: ClassVar[str] = "network.refused"
    severity: ClassVar[Severity] = Severity.ERROR
    story: ClassVar[str] = "Cannot {change}: {why}"

    change: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftoversRemoved(Event):
    code: ClassVar[str] = "network.leftovers-removed"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "An earlier run ended without cleaning up; removed: {what}"

    what: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardingOff(Event):
    """Said, not changed: forwarding belongs to the host's owner."""

    code: ClassVar[str] = "network.forwarding-off"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = (
        "This host does not forward {family}: only its own packets can use the tunnels. Set {sysctl} = 1"
    )

    family: str
    sysctl: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClampMissing(Event):
    code: ClassVar[str] = "network.clamp-missing"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = (
        "TCP's maximum segment size is not clamped on the tunnels, and large transfers may stall where ICMP "
        "is filtered: {why}"
    )

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MtuChosen(Event):
    code: ClassVar[str] = "network.mtu-chosen"
    story: ClassVar[str] = "MTU of {interface} is {mtu}: {because}"

    interface: str
    mtu: int
    because: str
