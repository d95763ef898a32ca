"""Commands, carried out: what operators, the data plane and the resolver tell the gateway."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from isthmus.engine import commands as c
from isthmus.engine.child_sa import ChildSa
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ledger import Ledger, Turn
from isthmus.engine.manual import ManualKeys
from isthmus.engine.upkeep import Upkeep
from isthmus.events.child import AcquireIgnored
from isthmus.events.ike import FailureReason, NegotiationFailed
from isthmus.model.address import Address
from isthmus.model.identity import Identity
from isthmus.model.plan import PeerPlan, Plan
from isthmus.model.quantities import InboundSpi
from isthmus.model.sa_spec import Direction, InstallPolicy, PolicySpec, RemovePolicy, SaId
from isthmus.model.selectors import TrafficSelector


class Obedience:
    """One short method a command."""

    def __init__(self, ledger: Ledger, upkeep: Upkeep, manual: ManualKeys) -> None:
        self._ledger = ledger
        self._upkeep = upkeep
        self._manual = manual

    def carry_out(self, command: c.Command) -> None:
        match command:
            case c.Apply(plan):
                self._apply(plan)
            case c.InitiateIke(peer):
                self._initiate_ike(peer)
            case c.InitiateChild(child):
                self._initiate_child(child)
            case c.Acquire():
                self._acquire(command)
            case c.TerminateIke(peer):
                for sa in self._ledger.with_peer(peer):
                    sa.dialect.delete_ike("deleted here")
            case c.TerminateChild(child):
                for standing in self._children(child):
                    standing.ike.dialect.delete_child(standing, "deleted here")
            case c.RekeyIke(peer):
                for established in self._established(peer):
                    established.dialect.rekey_ike()
            case c.RekeyChild(child):
                for standing in self._children(child):
                    standing.rekey_wanted()
            case c.Reauthenticate(peer):
                self._reauthenticate(peer)
            case c.Shutdown():
                self._shut_down()
            case c.SoftExpired(sa_id):
                if (concerned := self._by_id(sa_id)) is not None:
                    concerned.rekey_wanted()
            case c.HardExpired(sa_id):
                if (concerned := self._by_id(sa_id)) is not None:
                    concerned.expire("volume")
                else:
                    self._manual.expired(sa_id)
            case c.FirstInbound(sa_id):
                if (concerned := self._by_id(sa_id)) is not None:
                    self._used_by_peer(concerned)
            case c.PeerMoved(sa_id, remote):
                if (concerned := self._by_id(sa_id)) is not None:
                    concerned.ike.follow_traffic(concerned, remote)
            case c.Heard(spis):
                for spi in spis:
                    if (child_sa := self._ledger.children.get(spi)) is not None:
                        child_sa.ike.hear(message=False)
            case c.ProgramFailed(ticket, why):
                if (owner := self._ledger.owner_of(ticket)) is not None:
                    self._refused(owner, why)
                else:
                    self._manual.refused(ticket, why)
            case c.Resolved():
                self._upkeep.resolved(command)
            case _:
                assert_never(command)

    def install_policies(self) -> None:
        """Tells the data plane what each enabled tunnel protects, in the configuration's order."""
        for order, (name, policy) in enumerate(_policies(self._ledger.plan).items()):
            self._ledger.program(InstallPolicy(PolicySpec(name, *policy[:1], order, *policy[1:])))

    def _apply(self, plan: Plan) -> None:
        """RFC 7296 knows no reload: what changed is deleted and set up anew, what did not is not touched."""
        ledger, old = self._ledger, self._ledger.plan
        before, after = _policies(old), _policies(plan)
        ledger.plan = plan
        for name in before.keys() - after.keys():
            ledger.program(RemovePolicy(name))
        self.install_policies()
        self._manual.settle()
        for sa in tuple(ledger.ike_sas.values()):
            if sa.peer is None:
                continue
            was, now = old.peers.get(sa.peer.name), plan.peers.get(sa.peer.name)
            if was is not None and now is not None and was != now and _relocated(was, now) == now:
                sa.peer = now
                sa.dialect.relocate(now.local)
            elif was != now:
                sa.dialect.delete_ike("its configuration changed")
                continue
            for child in tuple(sa.children.values()):
                if plan.tunnels.get(child.tunnel.name) != old.tunnels.get(child.tunnel.name):
                    sa.dialect.delete_child(child, "its configuration changed")
        self._upkeep.begin()

    def _initiate_ike(self, name: str) -> None:
        peer = self._ledger.plan.peers[name]
        if not self._upkeep.explain_refusal(peer, None):
            self._upkeep.initiate_ike(peer)

    def _reauthenticate(self, name: str) -> None:
        peer = self._ledger.plan.peers[name]
        if self._upkeep.standing(name) or not self._upkeep.explain_refusal(peer, None):
            self._upkeep.reauthenticate(peer)

    def _initiate_child(self, name: str) -> None:
        found = self._ledger.plan.child(name)
        if found is None or self._children(name):
            return
        tunnel, child = found
        if self._upkeep.standing(tunnel.peer) or not self._upkeep.explain_refusal(
            self._ledger.plan.peers[tunnel.peer], child
        ):
            self._upkeep.initiate(tunnel, child, None)

    def _acquire(self, wanted: c.Acquire) -> None:
        found = self._ledger.plan.child(wanted.child)
        if found is None or not found[0].enabled or self._upkeep.stopped:
            why = "it is not configured, or disabled"
            self._ledger.emit(AcquireIgnored(at=self._ledger.now, child=wanted.child, why=why))
            return
        local = _packet(wanted.source, wanted.protocol, wanted.source_port)
        remote = _packet(wanted.destination, wanted.protocol, wanted.destination_port)
        self._upkeep.initiate(*found, (local, remote))

    def _used_by_peer(self, child: ChildSa) -> None:
        """The peer sends by it, so it has our response: one that succeeds another may send now."""
        if child.usable and not child.installation.sends:
            child.take_over()

    def _shut_down(self) -> None:
        self._upkeep.stopped = True
        self._manual.clear()
        for sa in tuple(self._ledger.ike_sas.values()):
            if sa.life != "deleted":
                sa.dialect.delete_ike("shutting down")

    def _refused(self, child: ChildSa, why: str) -> None:
        """The data plane could not install it: no half tunnel stays, and the peer is told."""
        ledger = self._ledger
        ledger.emit(
            NegotiationFailed(
                **child.ike.label(),
                stage="CREATE_CHILD_SA",
                role="initiator" if child.terms.began_here else "responder",
                child=child.name,
                reason=FailureReason.DATA_PLANE_REFUSED,
                detail=why,
            )
        )
        ledger.tell(child.ike.peer, Turn.CHILD_FAILED, child.name, f"the data plane refused it: {why}")
        child.leave()
        child.ike.dialect.delete_child(child, "the data plane refused it")

    def _established(self, peer: str) -> list[IkeSa]:
        return [sa for sa in self._ledger.with_peer(peer) if sa.established]

    def _children(self, name: str) -> list[ChildSa]:
        return [child for child in self._ledger.children.named(name) if child.usable]

    def _by_id(self, sa_id: SaId) -> ChildSa | None:
        if sa_id.direction is Direction.INBOUND:
            return self._ledger.children.get(InboundSpi(sa_id.spi))
        found = (child for child in self._ledger.children.values() if child.terms.spi_out == sa_id.spi)
        return next((child for child in found if child.installation.outbound_id == sa_id), None)


_Policies = dict[str, tuple[str, tuple[TrafficSelector, ...], tuple[TrafficSelector, ...]]]


def _policies(plan: Plan) -> _Policies:
    """Interface, local and remote selectors of every child of the enabled tunnels."""
    by_hand = {name: (m.interface, *m.selectors) for name, m in plan.manual.items() if m.enabled}
    return by_hand | {
        child.name: (tunnel.interface, child.local, child.remote)
        for tunnel in plan.tunnels.values()
        if tunnel.enabled
        for child in tunnel.children
    }


def _relocated(peer: PeerPlan, now: PeerPlan) -> PeerPlan:
    """The same at another address of ours. Whoever is identified by it has another identity when it next proves it."""
    by_address = peer.local_id == Identity.of_address(peer.local)
    return replace(peer, local=now.local, local_id=Identity.of_address(now.local) if by_address else peer.local_id)


def _packet(address: Address, protocol: int, port: int) -> TrafficSelector:
    """The selector of one packet (RFC 7296, 2.9)."""
    return TrafficSelector(address, address, protocol, port, port)
