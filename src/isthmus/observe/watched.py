"""What the running gateway lets itself be read of: views of the engine, counters of the data plane, the plan."""

from __future__ import annotations

from typing import Protocol

from isthmus.engine.views import ChildView, IkeSaView, TunnelView
from isthmus.model.plan import Plan
from isthmus.model.sa_spec import SaCounters, SaId


class GatewayViews(Protocol):
    """The readable side of `engine.gateway.Gateway`."""

    def ike_sas(self) -> tuple[IkeSaView, ...]: ...

    def child_sas(self) -> tuple[ChildView, ...]: ...

    def tunnels(self) -> tuple[TunnelView, ...]: ...

    @property
    def half_open(self) -> int:
        """IKE SAs that somebody began with us and has not authenticated."""
        ...

    @property
    def key_exchanges_answered(self) -> int:
        """How often somebody who had not authenticated made us agree on a key."""
        ...


class PlaneCounters(Protocol):
    """The readable side of a data plane."""

    def counters(self, sa: SaId) -> SaCounters: ...

    def drops(self) -> dict[str, int]: ...


class Watched(Protocol):
    """Everything happens on one event loop: no call blocks, none needs a lock."""

    @property
    def gateway(self) -> GatewayViews: ...

    @property
    def plane(self) -> PlaneCounters: ...

    @property
    def plan(self) -> Plan:
        """The running one."""
        ...
