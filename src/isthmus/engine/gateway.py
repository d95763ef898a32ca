"""The gateway: finds for each input the SA that it concerns, and lets nothing that happens there touch another."""

from __future__ import annotations

from isthmus.engine import commands as c
from isthmus.engine.admission import Admission
from isthmus.engine.dialect import Dialect
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev1.dialect import Ikev1
from isthmus.engine.ikev2.dialect import Ikev2
from isthmus.engine.ledger import Ledger, Turn
from isthmus.engine.manual import ManualKeys
from isthmus.engine.obedience import Obedience
from isthmus.engine.outputs import Output
from isthmus.engine.preference import Choice
from isthmus.engine.reception import Reception
from isthmus.engine.surroundings import Surroundings
from isthmus.engine.upkeep import Upkeep
from isthmus.engine.views import ChildView, IkeSaView, TunnelView
from isthmus.events.ike import EngineFault, IkeStarted
from isthmus.model.address import Address, Datagram, Endpoint
from isthmus.model.plan import ChildPlan, PeerPlan, Plan, Start, TunnelPlan, Version
from isthmus.model.quantities import Instant


class Gateway:
    """All IKE SAs of one running instance, without sockets, clock or randomness of its own.

    After each call take `poll()` until it gives None, and carry out what it gives in that order; then ask
    `next_timer()` when to call `handle_timer()`. Time never runs backwards. No call raises, whatever the bytes.
    """

    def __init__(self, plan: Plan, surroundings: Surroundings) -> None:
        self._ledger = Ledger(plan, surroundings)
        self._admission = Admission(self._ledger)
        self._upkeep = Upkeep(self._ledger, self._start)
        self._reception = Reception(self._ledger, self._admission, self._upkeep)
        self._manual = ManualKeys(self._ledger)
        self._obedience = Obedience(self._ledger, self._upkeep, self._manual)
        self._begun = False

    def receive(self, datagram: Datagram, now: Instant) -> None:
        """One IKE message, without non-ESP marker."""
        self._ledger.now = now
        try:
            self._reception.receive(datagram)
        except Exception as bug:
            self._fault(bug, self._reception.concerned)
        self._settle()

    def command(self, command: c.Command, now: Instant) -> None:
        """Something that is asked of us, or the outcome of an effect."""
        self._ledger.now = now
        self._begin()
        try:
            self._obedience.carry_out(command)
        except Exception as bug:
            self._fault(bug, None)
        self._settle()

    def handle_timer(self, now: Instant) -> None:
        """Time has passed. Early and late calls are harmless; the first one begins what is configured to be up."""
        self._ledger.now = now
        self._begin()
        for owner, what in self._ledger.agenda.take_due(now):
            try:
                owner.due(what)
            except Exception as bug:
                self._fault(bug, owner if isinstance(owner, IkeSa) else None)
            self._settle()

    def next_timer(self) -> Instant | None:
        """When `handle_timer` is due; None: not before something else happens."""
        return self._ledger.agenda.next() if self._begun else self._ledger.now

    def poll(self) -> Output | None:
        """The next effect or event."""
        return self._ledger.next_output()

    @property
    def plan(self) -> Plan:
        return self._ledger.plan

    @property
    def idle(self) -> bool:
        """After `Shutdown`: whether nothing is left to say to anybody."""
        return self._upkeep.stopped and not any(sa.life != "deleted" for sa in self._ledger.ike_sas.values())

    @property
    def half_open(self) -> int:
        """IKE SAs that somebody began with us and has not authenticated."""
        return self._admission.half_open

    @property
    def key_exchanges_answered(self) -> int:
        """How often somebody who had not authenticated made us agree on a key."""
        return self._ledger.key_exchanges_answered

    @property
    def local_addresses(self) -> frozenset[Address]:
        """Ours that an IKE SA speaks from."""
        return frozenset(sa.local.address for sa in self._ledger.ike_sas.values() if sa.life != "deleted")

    def ike_sas(self) -> tuple[IkeSaView, ...]:
        """Every IKE SA that is not gone, oldest first."""
        return tuple(sa.view() for sa in self._ledger.ike_sas.values() if sa.life != "deleted")

    def child_sas(self) -> tuple[ChildView, ...]:
        """Every Child SA of theirs, and those with keys by hand."""
        return (*(child for sa in self.ike_sas() for child in sa.children), *self._manual.sas())

    def tunnels(self) -> tuple[TunnelView, ...]:
        """Every configured child, up or not."""
        keyed = (self._tunnel_view(tunnel, child) for tunnel in self.plan.tunnels.values() for child in tunnel.children)
        return (*keyed, *self._manual.tunnels())

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._obedience.install_policies()
            self._manual.settle()
            self._upkeep.begin()

    def _settle(self) -> None:
        try:
            self._upkeep.read_tidings()
        except Exception as bug:
            self._fault(bug, None)

    def _start(
        self,
        peer: PeerPlan,
        local: Endpoint,
        remote: Endpoint,
        tunnel: TunnelPlan | None,
        child: ChildPlan | None,
        redirected_by: Address | None,
        choice: Choice,
    ) -> IkeSa:
        ledger = self._ledger
        sa = IkeSa(ledger, ledger.fresh_ike_spi(), local, remote, began_here=True)
        sa.peer, sa.redirected_by, sa.alternative = peer, redirected_by, choice.alternative
        dialect: Dialect = Ikev1(sa) if choice.version is Version.IKEV1 else Ikev2(sa)
        ledger.emit(IkeStarted(**sa.label(), role=sa.role, local=local, remote=remote))
        dialect.establish(tunnel, child)
        return sa

    def _fault(self, bug: Exception, sa: IkeSa | None) -> None:
        """A bug of ours ends the SA that it showed itself in, and no other."""
        trace, at = [], bug.__traceback__
        while at is not None:
            trace.append(f"{at.tb_frame.f_code.co_filename.rpartition('isthmus/')[2]}:{at.tb_lineno}")
            at = at.tb_next
        label = sa.label() if sa is not None else {"at": self._ledger.now}
        self._ledger.emit(EngineFault(**label, error=type(bug).__name__, trace=tuple(trace)))
        if sa is not None and sa.life != "deleted":
            # Told first, and alone: the bug may come again, so the next attempt waits as after any failure.
            self._ledger.tidings.clear()
            self._ledger.tell(sa.peer, Turn.IKE_FAILED, reason="internal fault")
            sa.delete_silently("internal fault")

    def _tunnel_view(self, tunnel: TunnelPlan, child: ChildPlan) -> TunnelView:
        sas = [sa for sa in self._ledger.with_peer(tunnel.peer) if sa.life != "deleted"]
        up = any(c.usable and c.plan == child for sa in sas for c in sa.children.values())
        reason = self._upkeep.reason(child, tunnel.peer)
        if not tunnel.enabled:
            state, reason = "disabled", "disabled by configuration or command"
        elif up:
            state, reason = "up", None
        elif any(sa.dialect.intends(child) for sa in sas if sa.alive) or (
            tunnel.start is Start.IMMEDIATE and any(sa.alive and not sa.established for sa in sas)
        ):
            state = "negotiating"
        else:
            state, reason = "down", reason or "waiting for traffic"
        return TunnelView(child.name, tunnel.name, child.proxy_id, tunnel.interface, tunnel.peer, state, reason)
