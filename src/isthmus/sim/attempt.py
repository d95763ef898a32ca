"""One gateway calls the other over a simulated network: set-up, every child, and the rekeys that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from isthmus.engine import commands
from isthmus.engine.commands import Command
from isthmus.engine.views import ChildView, IkeSaView
from isthmus.events.child import ChildInstalled
from isthmus.events.event import Event
from isthmus.events.ike import FailureReason, IkeEstablished, IkeRekeyed, NegotiationFailed, WeakAlgorithm
from isthmus.model.plan import (
    Dpd,
    DynamicPeer,
    Lifetime,
    Liveness,
    Mode,
    NamedPeer,
    PeerPlan,
    Plan,
    Start,
    TunnelPlan,
    Version,
)
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import Seconds
from isthmus.model.selectors import TrafficSelector
from isthmus.sim.failure import SimulationFailure
from isthmus.sim.network import Link
from isthmus.sim.pairing import Pair, Side
from isthmus.sim.site import Site
from isthmus.sim.world import World

_PATIENCE = Seconds(400.0)
"""Longer than ten tries of one request."""

_SETTLE = Seconds(3.0)
"""For what follows an exchange: deletes, and refusals that reach the other end."""

_LONG = Lifetime(Seconds(30 * 86400.0))
"""Lifetimes are no matter of agreement in IKEv2 (RFC 7296, 2.8), and in IKEv1 the shorter counts: here nothing ends."""

E = TypeVar("E", bound=Event)


class Act(StrEnum):
    """What is tried."""

    IKE_SA = "ike-sa"
    CHILD_SA = "child-sa"
    REKEY_CHILD_SA = "rekey-child-sa"
    REKEY_IKE_SA = "rekey-ike-sa"


@dataclass(frozen=True, slots=True)
class Failure:
    """An act that came to nothing, with what each end's events say of it."""

    act: Act
    asker: Side
    """Who made the request: in a rekey it need not be who began the IKE SA."""
    children: Mapping[Side, str]
    """The configured child that it is about, as far as each end knows."""
    events: Mapping[Side, tuple[NegotiationFailed, ...]]

    @property
    def telling(self) -> NegotiationFailed:
        """The event of the end that refused: it knows both sides of the disagreement."""
        told = [event for side in (self.asker.other, self.asker) for event in self.events[side]]
        return max(told, key=_knowledge)

    @property
    def reason(self) -> FailureReason:
        return self.telling.reason


@dataclass(frozen=True, slots=True)
class Standing:
    """A Child SA that came up."""

    children: Mapping[Side, str]
    suite: str
    selectors: tuple[tuple[TrafficSelector, ...], tuple[TrafficSelector, ...]]
    """Ours and theirs."""
    narrowed: bool
    """Less than one of the ends has configured."""
    udp: Mapping[Side, bool]
    protocol: Protocol = Protocol.ESP
    mode: Mode = Mode.TUNNEL
    pfs: str | None = None
    """The key exchange of its own that a rekey makes."""
    rekeyed: bool = True
    """From both ends."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one end's call."""

    begins: Side
    never: str | None = None
    """Why this end never begins, in the words of its configuration."""
    version: Version | None = None
    suite: str | None = None
    """Of the IKE SA; None: there was none."""
    answered_by: str | None = None
    """The gateway of the other end that took the call."""
    nat: str = "none"
    rekeyed: bool = False
    standing: tuple[Standing, ...] = ()
    failures: tuple[Failure, ...] = ()
    weak: tuple[str, ...] = ()

    @property
    def up(self) -> bool:
        """Whether the IKE SA stood, and its rekeys too."""
        return self.suite is not None and self.rekeyed


def attempt(plans: Mapping[Side, Plan], pair: Pair, begins: Side) -> Attempt:
    """Plays it through, unless this end never begins."""
    caller = pair.of(begins)
    if caller.passive:
        return Attempt(begins, never="passive: true")
    if isinstance(caller.address, DynamicPeer):
        return Attempt(begins, never="peer-address: dynamic")
    if pair.behind_nat is begins.other:
        return Attempt(begins, never=f"the other end is behind a NAT at {pair.seen_address(begins.other)}")
    return _Stage(plans, pair, begins).play()


class _Stage:
    """Two sites and a wire, for one call."""

    def __init__(self, plans: Mapping[Side, Plan], pair: Pair, begins: Side) -> None:
        self.begins = begins
        self.pair = pair
        # Nothing is drawn by lot here but keys: one seed is as good as another.
        self.world = World(1, Link(latency=(0.01, 0.01)))
        self.world.watch.rest()  # what two configurations make of each other is a finding, not a failed run
        casts = {begins: _caller(plans[begins], pair.of(begins))}
        casts[begins.other] = _answerer(plans[begins.other], pair.of(begins.other))
        self.sites = {side: self._site(side, casts[side]) for side in Side}
        self.failures: list[Failure] = []

    def play(self) -> Attempt:
        self._wait(lambda: False, Seconds(1.0))  # names are resolved
        names = [c.name for t in self.sites[self.begins].plan.tunnels.values() if t.enabled for c in t.children]
        created = self._create(names) if names else self._create_bare()
        ike_sa = self._ike_sa(self.begins)
        if ike_sa is None:
            return Attempt(self.begins, failures=tuple(self.failures))
        standing = self._rekey_children(self._seen(created))
        rekeyed = all(self._rekey_ike(side) for side in (self.begins, self.begins.other))
        answered = self.sites[self.begins.other].told(IkeEstablished)
        return Attempt(
            self.begins,
            version=ike_sa.version,
            suite=str(ike_sa.suite),
            answered_by=answered[-1].peer if answered else None,
            nat=ike_sa.nat,
            rekeyed=rekeyed,
            standing=standing,
            failures=tuple(self.failures),
            weak=tuple(dict.fromkeys(f"{e.algorithm}: {e.because}" for e in self._events(self.begins, WeakAlgorithm))),
        )

    def _create(self, names: list[str]) -> list[ChildInstalled]:
        """Every child, and the IKE SA below the first."""
        created = []
        for name in names:
            act = Act.CHILD_SA if self._established else Act.IKE_SA
            marks = self._marks()
            failure = self._try(self.begins, commands.InitiateChild(name), ChildInstalled, act, {self.begins: name})
            if failure is None:
                created.append(self._events(self.begins, ChildInstalled, marks)[-1])
                continue
            # RFC 7296, 1.2: the IKE SA stands though its first child was refused.
            self.failures.append(replace(failure, act=Act.CHILD_SA) if self._established else failure)
            if not self._established:
                break
        return created

    def _create_bare(self) -> list[ChildInstalled]:
        """Only the IKE SA."""
        command = commands.InitiateIke(self.pair.of(self.begins).name)
        failure = self._try(self.begins, command, IkeEstablished, Act.IKE_SA, {})
        self.failures += [failure] if failure is not None else []
        return []

    def _rekey_children(self, standing: list[Standing]) -> tuple[Standing, ...]:
        """A key exchange of its own is first made here, and first refused here (RFC 7296, 1.2 and 2.17)."""
        renewed: dict[int, ChildInstalled] = {}
        for side in (self.begins, self.begins.other):
            for number, child in enumerate(standing):
                marks = self._marks()
                command = commands.RekeyChild(child.children[side])
                failure = self._try(side, command, ChildInstalled, Act.REKEY_CHILD_SA, child.children)
                if failure is not None:
                    self.failures.append(failure)
                    standing[number] = replace(child, rekeyed=False)
                else:
                    renewed[number] = self._events(self.begins, ChildInstalled, marks)[-1]
        views = self._views(self.begins)
        for number, installed in renewed.items():
            view = views.get(installed.spi_in)
            if view is not None and view.suite.ke is not None:
                standing[number] = replace(standing[number], pfs=view.suite.ke.name)
        return tuple(standing)

    def _rekey_ike(self, side: Side) -> bool:
        ike_sa = self._ike_sa(side)
        if ike_sa is None or ike_sa.peer is None:
            return False
        # Version 1 renews an IKE SA by another one from nothing.
        success = IkeEstablished if ike_sa.version is Version.IKEV1 else IkeRekeyed
        failure = self._try(side, commands.RekeyIke(ike_sa.peer), success, Act.REKEY_IKE_SA, {})
        if failure is not None:
            self.failures.append(failure)
        return failure is None

    def _try(
        self, asker: Side, command: Command, success: type[Event], act: Act, children: Mapping[Side, str]
    ) -> Failure | None:
        """Gives a command and waits for what comes of it."""
        marks = self._marks()
        self.sites[asker].command(command)

        def decided() -> bool:
            return bool(self._events(asker, success, marks) or self._events(asker, NegotiationFailed, marks))

        self._wait(decided, _PATIENCE)
        self._wait(lambda: False, _SETTLE)
        if self._events(asker, success, marks):
            return None
        events = {side: self._events(side, NegotiationFailed, marks) for side in Side}
        if not any(events.values()):
            events[asker] = (self._nothing_came(asker),)
        named = {side: e.child for side in Side for e in events[side] if e.child is not None}
        return Failure(act, asker, MappingProxyType({**named, **children}), MappingProxyType(events))

    def _nothing_came(self, asker: Side) -> NegotiationFailed:
        peer = self.pair.of(asker)
        return NegotiationFailed(
            at=self.world.now, peer=peer.name, stage="", role="initiator", reason=FailureReason.NO_ANSWER
        )

    def _seen(self, created: list[ChildInstalled]) -> list[Standing]:
        """The children as both ends have them."""
        here = self._views(self.begins)
        there = {int(view.spi_out): view for view in self._views(self.begins.other).values()}
        pairs = ((here.get(event.spi_in), there.get(event.spi_in)) for event in created)
        return [self._as_standing(view, other) for view, other in pairs if view is not None and other is not None]

    def _as_standing(self, view: ChildView, other: ChildView) -> Standing:
        views = {self.begins: view, self.begins.other: other}
        ours = views[Side.OURS]
        exact = True
        for side in Side:
            found = self.sites[side].plan.child(views[side].name)
            seen = set(views[side].local_ts), set(views[side].remote_ts)
            exact = exact and found is not None and (set(found[1].local), set(found[1].remote)) == seen
        return Standing(
            children=MappingProxyType({side: views[side].name for side in Side}),
            suite="/".join(row.name for row in (view.suite.encryption, view.suite.integrity) if row is not None),
            selectors=(ours.local_ts, ours.remote_ts),
            narrowed=not exact,
            udp=MappingProxyType({side: views[side].udp for side in Side}),
            protocol=view.protocol,
            mode=view.mode,
        )

    def _views(self, side: Side) -> dict[int, ChildView]:
        """The Child SAs of an end, by inbound SPI."""
        return {child.spi_in: child for ike in self.sites[side].ike_sas for child in ike.children}

    @property
    def _established(self) -> bool:
        """Whether the caller has an IKE SA: read from its events, as pictures of many children take long to draw."""
        return bool(self._events(self.begins, IkeEstablished))

    def _ike_sa(self, side: Side) -> IkeSaView | None:
        standing = [ike for ike in self.sites[side].ike_sas if ike.state in ("established", "rekeying")]
        return standing[-1] if standing else None

    def _wait(self, until: Callable[[], bool], limit: Seconds) -> bool:
        """Lets time pass; whether it came to that."""
        try:
            self.world.run(until=until, limit=limit)
        except SimulationFailure:
            return False
        return True

    def _marks(self) -> dict[Side, int]:
        return {side: len(site.events) for side, site in self.sites.items()}

    def _events(self, side: Side, kind: type[E], marks: Mapping[Side, int] | None = None) -> tuple[E, ...]:
        events = self.sites[side].events[marks[side] if marks else 0 :]
        return tuple(event for event in events if isinstance(event, kind))

    def _site(self, side: Side, plan: Plan) -> Site:
        peer = self.pair.of(side)
        nat = self.world.nat(self.pair.seen_address(side)) if self.pair.behind_nat is side else None
        site = self.world.site(str(side), plan, peer.local, behind=nat)
        if isinstance(peer.address, NamedPeer):
            site.names[peer.address.name] = (self.pair.seen_address(side.other),)
        return site


def _caller(plan: Plan, peer: PeerPlan) -> Plan:
    """Only the gateway that calls, and nothing that begins by itself."""
    tunnels = {t.name: _on_demand(t) for t in plan.tunnels_of(peer.name)}
    return replace(plan, peers={peer.name: _calm(peer)}, tunnels=tunnels)


def _answerer(plan: Plan, peer: PeerPlan) -> Plan:
    """All its gateways, since it does not know yet who calls; none of them begins."""
    peers = {
        p.name: _calm(replace(p, local=peer.local) if p.local.is_unspecified and p.interface == peer.interface else p)
        for p in plan.peers.values()
    }
    peers[peer.name] = _calm(peer)
    passive = {name: replace(p, passive=True) for name, p in peers.items()}
    return replace(plan, peers=passive, tunnels={t.name: _on_demand(t) for t in plan.tunnels.values()})


def _calm(peer: PeerPlan) -> PeerPlan:
    profile = replace(peer.profile, lifetime=_LONG, authentication_multiple=0)
    ikev1 = peer.ikev1
    if ikev1 is not None:
        ikev1 = replace(ikev1, profile=replace(ikev1.profile, lifetime=_LONG), dpd=Dpd(enabled=False))
    return replace(peer, profile=profile, ikev1=ikev1, liveness=Liveness(enabled=False))


def _on_demand(tunnel: TunnelPlan) -> TunnelPlan:
    return replace(tunnel, start=Start.ON_DEMAND, profile=replace(tunnel.profile, lifetime=_LONG))


def _knowledge(event: NegotiationFailed) -> int:
    """How much an event knows: both sides of it, one, or the bare notify."""
    if event.reason is FailureReason.IDENTITY_MISMATCH or event.detail:
        return 2
    bare = all(word.isupper() for word in event.they_said)
    return 0 if bare else 1
