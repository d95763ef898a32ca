"""Facts about the process and what it does to the host's network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from isthmus.events.event import Event, Severity
from isthmus.model.address import Address, Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Event):
    code: ClassVar[str] = "runtime.started"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "Isthmus {version} runs: {peers} gateways, {children} tunnels, configured by {config}"

    version: str
    config: str
    peers: int
    children: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping(Event):
    code: ClassVar[str] = "runtime.stopping"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "Stopping: {why}"

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Event):
    code: ClassVar[str] = "runtime.stopped"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "Stopped; {unanswered} IKE SAs were left without the peer's answer to their deletion"

    unanswered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadApplied(Event):
    code: ClassVar[str] = "runtime.reload-applied"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "Configuration {config} is in force; warnings: {warnings}"

    config: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadRefused(Event):
    """The running configuration stays."""

    code: ClassVar[str] = "runtime.reload-refused"
    severity: ClassVar[Severity] = Severity.ERROR
    story: ClassVar[str] = "Configuration {config} is not valid and the running one stays: {problems}"

    config: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeFault(Event):
    """A bug of ours in one callback; the others go on. `trace` holds file and line, and no data."""

    code: ClassVar[str] = "runtime.fault"
    severity: ClassVar[Severity] = Severity.ERROR
    story: ClassVar[str] = "Internal fault while {doing}: {error}, at {trace}"

    doing: str
    error: str
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenFailed(Event):
    """Tried again until it works or the configuration no longer wants it. Said once for each run of failures."""

    code: ClassVar[str] = "runtime.listen-failed"
    severity: ClassVar[Severity] = Severity.ERROR
    story: ClassVar[str] = "Cannot listen on {local}: {why}"

    local: Endpoint
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening(Event):
    code: ClassVar[str] = "runtime.listening"
    story: ClassVar[str] = "Listening on {local}"

    local: Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFailed(Event):
    """The host refused a datagram. The engine's retransmission is the cure."""

    code: ClassVar[str] = "runtime.send-failed"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = "Cannot send from {local} to {remote}: {why}"

    local: Endpoint
    remote: Endpoint
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlaneRefused(Event):
    code: ClassVar[str] = "runtime.data-plane-refused"
    severity: ClassVar[Severity] = Severity.ERROR
    story: ClassVar[str] = "The data plane refused {operation}: {why}"

    operation: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerResolved(Event):
    code: ClassVar[str] = "runtime.peer-resolved"
    severity: ClassVar[Severity] = Severity.DEBUG
    story: ClassVar[str] = "{name} stands for {addresses}, for {lifetime:.0f} s"

    name: str
    addresses: tuple[Address, ...]
    lifetime: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerUnresolved(Event):
    code: ClassVar[str] = "runtime.peer-unresolved"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = "{name} cannot be resolved: {why}"

    name: str
    why: str
