"""What the API needs of the running gateway. `runtime.daemon` fits it; tests fit fakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from isthmus.engine.commands import Command
from isthmus.engine.views import IkeSaView, TunnelView
from isthmus.events.event import Event
from isthmus.model.plan import Plan
from isthmus.model.sa_spec import SaCounters, SaId
from isthmus.observe.journal import Journal


class GatewayViews(Protocol):
    """The readable side of `engine.gateway.Gateway`."""

    def ike_sas(self) -> tuple[IkeSaView, ...]: ...

    def tunnels(self) -> tuple[TunnelView, ...]: ...


class PlaneCounters(Protocol):
    """The readable side of a data plane."""

    def counters(self, sa: SaId) -> SaCounters: ...

    def drops(self) -> dict[str, int]: ...


class Daemon(Protocol):
    """Everything happens on one event loop: no call blocks, none needs a lock."""

    @property
    def gateway(self) -> GatewayViews: ...

    @property
    def plane(self) -> PlaneCounters: ...

    @property
    def journal(self) -> Journal: ...

    @property
    def plan(self) -> Plan:
        """The running one."""
        ...

    def command(self, command: Command) -> None:
        """Hands it to the engine and carries out what follows."""
        ...

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Calls the listener with each event as it happens; returns what ends that."""
        ...
