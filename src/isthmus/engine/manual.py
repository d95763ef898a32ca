"""SA pairs with keys by hand: in force from the moment that they are configured, until they no longer are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from isthmus.engine.ledger import Ledger
from isthmus.engine.views import ChildView, TunnelView
from isthmus.events.child import ChildDeleted, ChildExpired, ChildInstalled
from isthmus.model.address import Endpoint
from isthmus.model.plan import ManualPlan
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import Instant, Ticket
from isthmus.model.sa_spec import Direction, InstallSa, RemoveSa, SaId, SaSpec

_PORTLESS = 0


@dataclass(slots=True)
class _Standing:
    """One that was asked for."""

    plan: ManualPlan
    since: Instant
    tickets: tuple[Ticket, ...]
    trouble: str | None = None
    """Why it carries nothing."""


class ManualKeys:
    """Keeps the data plane in step with the plan. There is nobody to negotiate with, and nothing is ever renewed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._standing: dict[str, _Standing] = {}

    def settle(self) -> None:
        """Removes what the plan no longer has, and adds what is new; what did not change keeps its numbers."""
        wanted = {name: plan for name, plan in self._ledger.plan.manual.items() if plan.enabled}
        for name, standing in tuple(self._standing.items()):
            if wanted.get(name) != standing.plan:
                self._remove(standing, "its configuration changed")
        for name, plan in wanted.items():
            if name not in self._standing:
                self._install(plan)

    def clear(self) -> None:
        """The gateway ends."""
        for standing in tuple(self._standing.values()):
            self._remove(standing, "shutting down")

    def refused(self, ticket: Ticket, why: str) -> None:
        """The data plane could not do it."""
        for standing in self._standing.values():
            if ticket in standing.tickets and standing.trouble is None:
                standing.trouble = f"the data plane refused it: {why}"

    def expired(self, sa_id: SaId) -> None:
        """An SA has sent its last sequence number, and there is no new key."""
        for standing in self._standing.values():
            plan = standing.plan
            if sa_id in (_inbound(plan), _outbound(plan)) and standing.trouble is None:
                standing.trouble = "its sequence numbers are spent: both ends need new keys"
                self._ledger.emit(
                    ChildExpired(
                        at=self._ledger.now,
                        child=plan.name,
                        spi_in=plan.spi_in,
                        spi_out=plan.spi_out,
                        limit="last sequence number",
                    )
                )

    def sas(self) -> tuple[ChildView, ...]:
        """Those in force."""
        return tuple(_view(s.plan, s.since) for s in self._standing.values() if s.trouble is None)

    def tunnels(self) -> tuple[TunnelView, ...]:
        """Every one that is configured."""
        return tuple(self._tunnel(plan) for plan in self._ledger.plan.manual.values())

    def _tunnel(self, plan: ManualPlan) -> TunnelView:
        standing = self._standing.get(plan.name)
        trouble = standing.trouble if standing else "shutting down"
        state, reason = ("up", None) if trouble is None else ("down", trouble)
        if not plan.enabled:
            state, reason = "disabled", "disabled by configuration or command"
        return TunnelView(plan.name, plan.name, None, plan.interface, None, state, reason)

    def _install(self, plan: ManualPlan) -> None:
        ledger = self._ledger
        inbound = _spec(plan)
        outbound = replace(inbound, direction=Direction.OUTBOUND, spi=plan.spi_out)
        tickets = tuple(ledger.program(InstallSa(spec)) for spec in (inbound, outbound))
        self._standing[plan.name] = _Standing(plan, ledger.now, tickets)
        local, remote = plan.selectors
        ledger.emit(
            ChildInstalled(
                at=ledger.now,
                child=plan.name,
                spi_in=plan.spi_in,
                spi_out=plan.spi_out,
                suite=str(plan.suite),
                local_ts=tuple(map(str, local)),
                remote_ts=tuple(map(str, remote)),
            )
        )

    def _remove(self, standing: _Standing, reason: str) -> None:
        plan, ledger = standing.plan, self._ledger
        del self._standing[plan.name]
        for sa_id in (_outbound(plan), _inbound(plan)):
            ledger.program(RemoveSa(sa_id))
        ledger.emit(
            ChildDeleted(at=ledger.now, child=plan.name, spi_in=plan.spi_in, spi_out=plan.spi_out, reason=reason)
        )


def _inbound(plan: ManualPlan) -> SaId:
    return SaId(Direction.INBOUND, plan.spi_in, str(plan.remote), plan.suite.protocol)


def _outbound(plan: ManualPlan) -> SaId:
    return SaId(Direction.OUTBOUND, plan.spi_out, str(plan.remote), plan.suite.protocol)


def _spec(plan: ManualPlan) -> SaSpec:
    local, remote = plan.selectors
    return SaSpec(
        direction=Direction.INBOUND,
        spi=plan.spi_in,
        child=plan.name,
        interface=plan.interface,
        local=Endpoint(plan.local, _PORTLESS),
        remote=Endpoint(plan.remote, _PORTLESS),
        udp=False,
        local_selectors=local,
        remote_selectors=remote,
        encryption=plan.suite.encryption,
        encryption_key=plan.encryption_key,
        integrity=plan.suite.integrity,
        integrity_key=plan.integrity_key,
        replay_window=plan.replay_window,
        protocol=Protocol(plan.suite.protocol),
        mode=plan.mode,
        copy_tos=plan.copy_tos,
    )


def _view(plan: ManualPlan, since: Instant) -> ChildView:
    local, remote = plan.selectors
    return ChildView(
        name=plan.name,
        tunnel=plan.name,
        proxy_id=None,
        peer=None,
        protocol=plan.suite.protocol,
        mode=plan.mode,
        udp=False,
        state="installed",
        spi_in=plan.spi_in,
        spi_out=plan.spi_out,
        inbound=_inbound(plan),
        outbound=_outbound(plan),
        suite=plan.suite,
        local_ts=local,
        remote_ts=remote,
        replay_window=plan.replay_window,
        established_at=since,
        rekey_at=None,
        expires_at=None,
    )
