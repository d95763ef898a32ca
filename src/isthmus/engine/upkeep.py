"""What is configured to be up stays up: who is called, when, and when again. Retries never stop (design, 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from isthmus.engine import retry
from isthmus.engine.commands import Resolved
from isthmus.engine.deadlines import Deadline
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ledger import Ledger, Tiding, Turn
from isthmus.engine.outputs import Resolve
from isthmus.engine.preference import Choice, Preference, ask_again_after
from isthmus.engine.redirection import Redirects
from isthmus.engine.states import IkeLife
from isthmus.events.ike import (
    FailureReason,
    FellBack,
    IkeRedirected,
    NegotiationFailed,
    OlderVersionServes,
    RedirectRefused,
    RetryScheduled,
)
from isthmus.model.address import IKE_PORT, Address, Endpoint
from isthmus.model.plan import ChildPlan, DynamicPeer, NamedPeer, PeerPlan, Start, TunnelPlan, Version
from isthmus.model.quantities import Instant, Seconds
from isthmus.model.selectors import TrafficSelector
from isthmus.negotiate import match

_LET_INITIATOR_ASK = Seconds(5.0)
"""A responder waits so long for the initiator to ask for the other children, so that they seldom cross."""

_SHORT_LIFE = Seconds(5.0)
"""A child that is gone within this is asked for again at once, but not twice: it may be one that cannot stand."""

StartIke = Callable[[PeerPlan, Endpoint, Endpoint, TunnelPlan | None, ChildPlan | None, Address | None, Choice], IkeSa]
"""Begins an IKE SA as initiator: peer, both endpoints, its first child, who redirected us there, and the version."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A child that somebody wants; `packet` is what an on-demand packet looks like."""

    tunnel: TunnelPlan
    child: ChildPlan
    packet: tuple[TrafficSelector, TrafficSelector] | None


@dataclass(slots=True)
class PeerCare:
    """What upkeep remembers of one peer."""

    upkeep: Upkeep
    peer: str
    failures: int = 0
    reason: str | None = None
    """Why the last attempt failed."""
    child_failures: dict[str, int] = field(default_factory=dict)
    child_reasons: dict[str, str] = field(default_factory=dict)
    not_before: dict[str, Instant] = field(default_factory=dict)
    """When a child that was refused is asked for again."""
    up_since: dict[str, Instant] = field(default_factory=dict)
    short_lives: dict[str, int] = field(default_factory=dict)
    """How often in a row a child was gone as soon as it was up."""
    suspected_at: Instant | None = None
    wants: tuple[TunnelPlan, ChildPlan] | None = None
    """What waits for the peer's name to be resolved."""
    redirects: Redirects = field(default_factory=Redirects)
    sent_to: str | None = None
    """The name of the gateway that we are sent to, while it is looked up."""
    preference: Preference = field(default_factory=Preference)
    called_for: tuple[TunnelPlan | None, ChildPlan | None] = (None, None)
    """What the last call was to bring."""
    called_by: Version = Version.IKEV2

    waiting: dict[str, Wish] = field(default_factory=dict)
    """Children that were wanted while an IKE SA is being set up."""

    def due(self, what: Deadline) -> None:
        self.upkeep.due(self, what)


class Upkeep:
    """Compares what should be up with what is, peer by peer, whenever something turned."""

    def __init__(self, ledger: Ledger, start: StartIke) -> None:
        self._ledger = ledger
        self._start = start
        self._cares: dict[str, PeerCare] = {}
        self.stopped = False

    def care(self, peer: str) -> PeerCare:
        return self._cares.setdefault(peer, PeerCare(self, peer))

    def begin(self) -> None:
        """Looks after every peer of the plan, and forgets those that are no longer in it."""
        for name in [name for name in self._cares if name not in self._ledger.plan.peers]:
            self._ledger.agenda.forget(self._cares.pop(name))
        for peer in self._ledger.plan.peers.values():
            if isinstance(peer.address, NamedPeer):
                self._ledger.emit(Resolve(peer.name, peer.address.name))
            self.review(peer.name)

    def read_tidings(self) -> None:
        """Takes in what the last input has turned, and acts on it."""
        while self._ledger.tidings:
            tiding = self._ledger.tidings.popleft()
            if tiding.peer in self._ledger.plan.peers:
                self._take(tiding)
                self.review(tiding.peer)

    def review(self, name: str) -> None:
        """Asks for what is missing, unless it is being asked for, or it is too early to ask again."""
        ledger = self._ledger
        peer = ledger.plan.peers.get(name)
        missing = [] if peer is None or self.stopped else self._missing(peer)
        if peer is None or not missing:
            return
        care = self.care(name)
        standing = self.standing(name)
        if standing is not None:
            for tunnel, child in missing:
                self._ask_for(care, standing, tunnel, child)
        elif not self._connecting(name) and ledger.agenda.at(care, Deadline.RECONNECT) is None:
            self._call(care, peer, *missing[0])

    def initiate(
        self, tunnel: TunnelPlan, child: ChildPlan, packet: tuple[TrafficSelector, TrafficSelector] | None
    ) -> None:
        """Somebody wants this child now: an operator, or a packet."""
        care = self.care(tunnel.peer)
        standing = self.standing(tunnel.peer)
        if standing is not None:
            if not standing.dialect.intends(child):
                standing.dialect.create_child(tunnel, child, packet)
        elif self._connecting(tunnel.peer):
            care.waiting[child.name] = Wish(tunnel, child, packet)
        elif (peer := self._ledger.plan.peers.get(tunnel.peer)) is not None:
            self._ledger.agenda.cancel(care, Deadline.RECONNECT)
            self._call(care, peer, tunnel, child)

    def initiate_ike(self, peer: PeerPlan) -> None:
        """Somebody wants an IKE SA now; it brings the peer's first child with it."""
        if self.standing(peer.name) is None and not self._connecting(peer.name):
            care = self.care(peer.name)
            self._ledger.agenda.cancel(care, Deadline.RECONNECT)
            tunnel, child = self._first_child(peer)
            begun = self._call(care, peer, tunnel, child)
            if begun is not None and tunnel is not None:
                begun.child_wanted = tunnel.start is Start.IMMEDIATE

    def reauthenticate(self, peer: PeerPlan) -> None:
        """A new IKE SA from nothing, beside the old one, which goes once the new one stands.

        To where that one is now: so a peer that we never call can be reached too, as it has called us.
        """
        standing = self.standing(peer.name)
        if self._connecting(peer.name) or self.stopped:
            return
        expected = () if _only_responds(peer) else match.addresses_of(peer, self._ledger.addresses)
        if standing is None or standing.remote.address in expected:
            self._call(self.care(peer.name), peer, *self._first_child(peer))
            return
        ends = standing.local, standing.remote
        if not standing.nat.remote:  # else only what its NAT has mapped leads to it
            ends = standing.local.with_port(IKE_PORT), standing.remote.with_port(IKE_PORT)
        care = self.care(peer.name)
        care.called_for, care.called_by = self._first_child(peer), standing.version
        self._start(peer, *ends, *care.called_for, None, Choice(standing.version))

    def resolved(self, answer: Resolved) -> None:
        """A name was looked up: the peer's own, or that of the gateway that it names in its place."""
        name, peer = answer.peer, self._ledger.plan.peers.get(answer.peer)
        if peer is None:
            return
        care = self.care(name)
        if care.sent_to is not None and care.sent_to == answer.name:
            self._redirect_to_named(care, peer, answer)
        if not isinstance(peer.address, NamedPeer) or peer.address.name != answer.name:
            return
        self._ledger.learn_addresses(name, answer.addresses)
        self._ledger.agenda.set(care, Deadline.RESOLVE_AGAIN, Instant(self._ledger.now + answer.lifetime))
        if care.wants is not None and self._ledger.addresses.get(name):
            wants, care.wants = care.wants, None
            if self.standing(name) is None and not self._connecting(name):
                self._call(care, peer, *wants)
        self.review(name)

    def reason(self, child: ChildPlan, peer: str) -> str | None:
        """Why a child is not up, as far as is known."""
        care = self._cares.get(peer)
        return (care.child_reasons.get(child.name) or care.reason) if care else None

    def due(self, care: PeerCare, what: Deadline) -> None:
        peer = self._ledger.plan.peers.get(care.peer)
        if what is Deadline.RECONNECT:
            self.review(care.peer)
        elif what is Deadline.PREFER_AGAIN and peer is not None:
            self._prefer_again(care, peer)
        elif what is Deadline.RESOLVE_AGAIN and peer is not None and isinstance(peer.address, NamedPeer):
            self._ledger.emit(Resolve(peer.name, peer.address.name))

    def _take(self, tiding: Tiding) -> None:
        care = self.care(tiding.peer)
        match tiding.turn:
            case Turn.IKE_UP:
                care.failures, care.reason = 0, None
                self._ledger.agenda.cancel(care, Deadline.RECONNECT)
                self._learn_version(care)
                self._grant_waiting(care)
            case Turn.IKE_FAILED:
                self._failed(care, tiding.reason, retry.LONGEST_RECONNECT)
            case Turn.IKE_UNANSWERED:
                self._failed(care, tiding.reason, retry.missed_after(self._ledger.plan.peers[care.peer]))
            case Turn.IKE_GONE:
                care.reason = tiding.reason
                if any(
                    sa.version is Version.IKEV2 and sa.established_at is not None
                    for sa in self._ledger.with_peer(tiding.peer)
                ):
                    care.preference.proved(self._ledger.now)
            case Turn.VERSION_UNHEARD:
                self._fall_back(care, tiding.reason)
            case Turn.CHILD_UP if tiding.child is not None:
                care.child_failures.pop(tiding.child, None)
                care.child_reasons.pop(tiding.child, None)
                care.not_before.pop(tiding.child, None)
                care.up_since[tiding.child] = self._ledger.now
            case Turn.CHILD_FAILED if tiding.child is not None:
                self._child_failed(care, tiding.child, tiding.reason)
            case Turn.CHILD_GONE if tiding.child is not None:
                care.child_reasons[tiding.child] = tiding.reason
                self._let_initiator_ask(care, tiding.child)
                self._doubt_short_lives(care, tiding.child)
            case Turn.REAUTHENTICATION_DUE:
                self.reauthenticate(self._ledger.plan.peers[tiding.peer])
            case Turn.REDIRECTED:
                self._redirect(care, tiding.gateway)
            case Turn.SUSPICION:
                self._suspect(care)
            case _:
                pass

    def _grant_waiting(self, care: PeerCare) -> None:
        """Asks for what was wanted while the IKE SA was being set up, and did not come with it."""
        waiting, care.waiting = care.waiting, {}
        standing = self.standing(care.peer)
        if standing is None:
            return
        for wish in waiting.values():
            up = any(child.usable and child.plan == wish.child for child in standing.children.values())
            if not up and not standing.dialect.intends(wish.child):
                standing.dialect.create_child(wish.tunnel, wish.child, wish.packet)

    def _failed(self, care: PeerCare, reason: str, longest: Seconds) -> None:
        care.waiting.clear()
        older = self._keep_older(care)
        if older and care.called_by is Version.IKEV2:
            self._renew_if_due(care)
            return
        before, care.preference.why_not = care.preference.why_not, ""
        if not older:
            care.preference.prefer()
        care.failures += 1
        care.reason = f"{reason}; before that, by IKEv2: {before}" if before else reason
        wait = retry.reconnect_after(care.failures, self._ledger.entropy, longest)
        self._again_in(care, wait)
        standing = self.standing(care.peer)
        if standing is not None and standing.rivalry.suspected:
            return  # as long as it is silent it is suspected anew
        if standing is not None:  # it was a re-authentication
            self._ledger.agenda.set(standing, Deadline.REAUTHENTICATE, Instant(self._ledger.now + wait))
        else:
            self._ledger.emit(RetryScheduled(at=self._ledger.now, peer=care.peer, wait=wait))

    def _child_failed(self, care: PeerCare, child: str, reason: str) -> None:
        failures = care.child_failures[child] = care.child_failures.get(child, 0) + 1
        care.child_reasons[child] = reason
        wait = retry.reconnect_after(failures + 2, self._ledger.entropy)
        care.not_before[child] = Instant(self._ledger.now + wait)
        self._again_in(care, wait)

    def _again_in(self, care: PeerCare, wait: float) -> None:
        """One deadline a peer: the earliest that is due."""
        ledger, at = self._ledger, Instant(self._ledger.now + wait)
        before = ledger.agenda.at(care, Deadline.RECONNECT)
        ledger.agenda.set(care, Deadline.RECONNECT, at if before is None else min(at, before))

    def _let_initiator_ask(self, care: PeerCare, child: str) -> None:
        """Both ends see that a child is gone; the responder of the IKE SA asks for a new one a little later."""
        standing = self.standing(care.peer)
        if standing is not None and not standing.began_here:
            care.not_before[child] = Instant(self._ledger.now + _LET_INITIATOR_ASK)

    def _doubt_short_lives(self, care: PeerCare, child: str) -> None:
        now = self._ledger.now
        if now - care.up_since.get(child, now) >= _SHORT_LIFE:
            care.short_lives.pop(child, None)
            return
        count = care.short_lives[child] = care.short_lives.get(child, 0) + 1
        if count > 1:
            wait = Instant(now + retry.reconnect_after(count - 1, self._ledger.entropy))
            care.not_before[child] = max(wait, care.not_before.get(child, wait))

    def _redirect(self, care: PeerCare, gateway: Address | str) -> None:
        """What is being set up begins anew elsewhere; what stands is left once the new one does (RFC 5685, 3 to 6)."""
        ledger, peer = self._ledger, self._ledger.plan.peers[care.peer]
        ours = [sa for sa in ledger.with_peer(care.peer) if sa.began_here and sa.life is not IkeLife.DELETED]
        if not ours or self.stopped:
            return
        current = ours[-1].remote.address
        why = care.redirects.objection(gateway, peer.local, current, ledger.now)
        if why is not None:
            ledger.emit(RedirectRefused(at=ledger.now, peer=peer.name, gateway=str(gateway), why=why))
            return
        if isinstance(gateway, str):
            care.sent_to = gateway
            ledger.emit(Resolve(peer.name, gateway))
            return
        ledger.emit(IkeRedirected(at=ledger.now, peer=peer.name, gateway=str(gateway)))
        for sa in ours:
            if sa.life is IkeLife.CONNECTING:
                sa.delete_silently("redirected")
        ledger.agenda.cancel(care, Deadline.RECONNECT)
        ends = Endpoint(peer.local, IKE_PORT), Endpoint(gateway, IKE_PORT)
        self._start(peer, *ends, *self._first_child(peer), current, Choice(Version.IKEV2))  # only that redirects

    def _redirect_to_named(self, care: PeerCare, peer: PeerPlan, answer: Resolved) -> None:
        care.sent_to = None
        reachable = [a for a in answer.addresses if a.version == peer.local.version]
        if reachable:
            self._redirect(care, reachable[0])
        else:
            now, why = self._ledger.now, "its name has no address that we could reach"
            self._ledger.emit(RedirectRefused(at=now, peer=peer.name, gateway=answer.name, why=why))

    def _suspect(self, care: PeerCare) -> None:
        """The peer may have lost its state: a new IKE SA is tried beside the old one, which stays until that stands."""
        now, peer, standing = self._ledger.now, self._ledger.plan.peers[care.peer], self.standing(care.peer)
        early = care.suspected_at is not None and now < care.suspected_at + retry.missed_after(peer)
        if early or standing is None or _only_responds(peer) or self._connecting(care.peer):
            return
        care.suspected_at = now
        if standing.version is Version.IKEV2:
            care.preference.proved(now)  # what it cannot answer now it could until a moment ago
        trial = self._call(care, peer, *self._first_child(peer))
        if trial is not None:
            standing.rivalry.try_beside(trial)

    def _missing(self, peer: PeerPlan) -> list[tuple[TunnelPlan, ChildPlan]]:
        """What is to be up anyway, or still is on an IKE SA that is about to be replaced."""
        standing = self.standing(peer.name)
        up = {c.plan for c in standing.children.values() if c.usable} if standing else set()
        carried = self._carried(peer, standing)
        return [
            (tunnel, child)
            for tunnel in self._ledger.plan.tunnels_of(peer.name)
            if tunnel.enabled
            for child in tunnel.children
            if child not in up and (tunnel.start is Start.IMMEDIATE or child in carried)
        ]

    def _carried(self, peer: PeerPlan, besides: IkeSa | None) -> set[ChildPlan]:
        """The children that stand on IKE SAs with a peer."""
        sas = (sa for sa in self._ledger.with_peer(peer.name) if sa.established and sa is not besides)
        return {child.plan for sa in sas for child in sa.children.values() if child.usable}

    def _ask_for(self, care: PeerCare, standing: IkeSa, tunnel: TunnelPlan, child: ChildPlan) -> None:
        now = self._ledger.now
        earliest = care.not_before.get(child.name, now)
        if not standing.began_here and standing.established_at is not None:
            earliest = max(earliest, Instant(standing.established_at + _LET_INITIATOR_ASK))
        if earliest > now:
            self._again_in(care, earliest - now)
        elif not standing.dialect.intends(child):
            standing.dialect.create_child(tunnel, child)

    def _call(self, care: PeerCare, peer: PeerPlan, tunnel: TunnelPlan | None, child: ChildPlan | None) -> IkeSa | None:
        """Begins an IKE SA, if it is for us to begin and we know where."""
        if self.stopped:
            return None
        if _only_responds(peer):
            care.reason = "waiting for the peer to begin"
            return None
        addresses = match.addresses_of(peer, self._ledger.addresses)
        if not addresses:
            care.reason = "the peer's name is not resolved"
            care.wants = (tunnel, child) if tunnel is not None and child is not None else None
            return None
        remote = addresses[care.failures % len(addresses)]
        care.called_for = tunnel, child
        choice = care.preference.choice(peer, self._ledger.now)
        care.called_by = choice.version
        ends = Endpoint(peer.local, IKE_PORT), Endpoint(remote, IKE_PORT)
        return self._start(peer, *ends, tunnel, child, None, choice)

    # -- where IKEv2 is preferred and IKEv1 will do

    def _fall_back(self, care: PeerCare, why: str) -> None:
        """IKEv2 met silence: IKEv1 has its turn, unless it stands already."""
        if self._keep_older(care):
            self._renew_if_due(care)
            return
        care.preference.unanswered(why)
        peer = self._ledger.plan.peers[care.peer]
        if self.standing(care.peer) is None and not self._connecting(care.peer):
            self._ledger.emit(FellBack(at=self._ledger.now, peer=care.peer, why=why))
            self._call(care, peer, *care.called_for)

    def _learn_version(self, care: PeerCare) -> None:
        """An IKE SA came to stand: what that proves of the peer."""
        ledger, preference = self._ledger, care.preference
        preference.why_not = ""
        if self._keep_older(care):
            ledger.emit(OlderVersionServes(at=ledger.now, peer=care.peer))
        else:
            preference.prefer()
            preference.proved(ledger.now)
            ledger.agenda.cancel(care, Deadline.PREFER_AGAIN)

    def _keep_older(self, care: PeerCare) -> bool:
        """Whether IKEv1 stands where IKEv2 is preferred: then it serves until the peer is asked again."""
        peer, standing = self._ledger.plan.peers[care.peer], self.standing(care.peer)
        if peer.version is not Version.IKEV2_PREFERRED or standing is None or standing.version is not Version.IKEV1:
            return False
        care.preference.keep_older()
        if self._ledger.agenda.at(care, Deadline.PREFER_AGAIN) is None:
            due = Instant(self._ledger.now + ask_again_after(self._ledger.entropy))
            self._ledger.agenda.set(care, Deadline.PREFER_AGAIN, due)
        return True

    def _prefer_again(self, care: PeerCare, peer: PeerPlan) -> None:
        """Asks for IKEv2 beside the IKE SA that stands; that one goes once the new one does."""
        standing = self.standing(peer.name)
        if standing is None or not self._keep_older(care) or self._connecting(peer.name):
            return
        care.preference.prefer()
        for child in standing.children.values():
            care.waiting[child.name] = Wish(child.tunnel, child.plan, None)
        self._call(care, peer, *self._first_child(peer))

    def _renew_if_due(self, care: PeerCare) -> None:
        """The IKE SA of version 1 that stands may have had to wait for its renewal."""
        care.waiting.clear()
        standing = self.standing(care.peer)
        if standing is not None and self._ledger.agenda.at(standing, Deadline.REKEY) is None:
            standing.dialect.rekey_ike()

    def explain_refusal(self, peer: PeerPlan, child: ChildPlan | None) -> bool:
        """Says why we cannot begin, if we cannot; whether it did."""
        only_responds = _only_responds(peer)
        if only_responds:
            self._ledger.emit(
                NegotiationFailed(
                    at=self._ledger.now,
                    peer=peer.name,
                    stage="IKE_SA_INIT",
                    role="initiator",
                    child=child.name if child else None,
                    reason=FailureReason.ONLY_RESPONDS,
                    we_said=("passive: true" if peer.passive else "peer-address: dynamic",),
                    detail="the peer has to begin",
                )
            )
        return only_responds

    def _first_child(self, peer: PeerPlan) -> tuple[TunnelPlan | None, ChildPlan | None]:
        """One that stands already, or else one that is to be up anyway, if there is any."""
        carried = self._carried(peer, None)
        children = [(t, c) for t in self._ledger.plan.tunnels_of(peer.name) if t.enabled for c in t.children]
        wanted = [(c not in carried, t.start is not Start.IMMEDIATE) for t, c in children]
        return children[wanted.index(min(wanted))] if children else (None, None)

    def standing(self, peer: str) -> IkeSa | None:
        """The youngest established IKE SA with a peer."""
        established = [sa for sa in self._ledger.with_peer(peer) if sa.established]
        return max(established, key=lambda sa: sa.established_at or 0.0) if established else None

    def _connecting(self, peer: str) -> bool:
        return any(sa.alive and not sa.established for sa in self._ledger.with_peer(peer))


def _only_responds(peer: PeerPlan) -> bool:
    return peer.passive or isinstance(peer.address, DynamicPeer)
