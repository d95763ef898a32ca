"""Failures read against two plans: which options are in the way, and what to write in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from isthmus.engine.ikev1.exchanges import AGGRESSIVE_MODE, MAIN_MODE, QUICK_MODE
from isthmus.engine.ikev1.steps.suite import phase_one_proposals
from isthmus.events.ike import FailureReason
from isthmus.model import algorithms
from isthmus.model.algorithms import Strength
from isthmus.model.identity import Identity
from isthmus.model.plan import ChildPlan, DynamicPeer, Encapsulation, Mode, PeerPlan, Plan, PpkMode, TunnelPlan
from isthmus.model.proposal import Proposal, TransformType, transform_name
from isthmus.model.selectors import ANY_PROTOCOL, MAX_PORT, TrafficSelector
from isthmus.negotiate import select
from isthmus.negotiate.narrow import narrow
from isthmus.negotiate.reports import Mismatch
from isthmus.sim.attempt import Act, Failure
from isthmus.sim.obstacles import NO_WAY_FOR_ESP, Obstacle, Path, Point, Position, Remedy
from isthmus.sim.pairing import Pair, Side
from isthmus.sim.silence import cause_of_silence

_NO_PFS = "no-pfs"
_NONE = "none"
_NOT_SHOWN = "a key that is not shown"
_IKEV1_STAGES = (MAIN_MODE.name, AGGRESSIVE_MODE.name, QUICK_MODE.name)


@dataclass(frozen=True, slots=True)
class Half:
    """The traffic at one end of a tunnel, as two children that should mean the same have it."""

    mine: str
    """`local` or `remote`, in the words of the child that is asked for."""
    theirs: str
    asked: tuple[TrafficSelector, ...]
    had: tuple[TrafficSelector, ...]


class Explainer:
    """Reads a failure against the two plans."""

    def __init__(self, plans: Mapping[Side, Plan], pair: Pair, served: frozenset[tuple[Side, str]]) -> None:
        self._plans = plans
        self._pair = pair
        self._served = served
        """Children that stood with another one: they are nobody's nearest while there are others."""

    def explain(self, failure: Failure) -> Obstacle:
        match failure.reason:
            case FailureReason.NO_PROPOSAL_CHOSEN | FailureReason.INVALID_KEY_EXCHANGE:
                return self._proposals(failure)
            case FailureReason.IDENTITY_MISMATCH:
                return self._identities(failure)
            case FailureReason.AUTHENTICATION_FAILED if self._keys_differ():
                return self._keys(failure)
            case FailureReason.PPK_MISMATCH | FailureReason.AUTHENTICATION_FAILED if self._ppks_differ():
                return self._ppks(failure)
            case FailureReason.SELECTORS_UNACCEPTABLE if failure.asker in failure.children:
                return self._selectors(failure, failure.children[failure.asker])
            case FailureReason.MODE_MISMATCH:
                return self._modes(failure)
            case FailureReason.NO_ANSWER if (cause := cause_of_silence(self._pair, failure.asker)) is not None:
                return self._obstacle(failure, cause.title, (cause.point,), cause.remedies)
            case _:
                return self._other(failure)

    def waiting(self) -> Obstacle:
        """Neither end ever begins."""
        point = Point("who begins", *(self._why_it_waits(side) for side in Side))
        remedies = tuple(
            Remedy(side, "set passive: false", (_gateway(self._peer(side), "passive"),))
            for side in Side
            if not isinstance(self._peer(side).address, DynamicPeer)
        ) or tuple(
            Remedy(side, "give it the peer's address", (_gateway(self._peer(side), "peer-address"),)) for side in Side
        )
        title = "Both ends wait for the other to begin"
        return Obstacle(title, "IKE_SA_INIT", Act.IKE_SA, FailureReason.ONLY_RESPONDS, Side.OURS, (point,), remedies)

    def plain_through_nat(self, plain: tuple[Side, ...]) -> Obstacle:
        """ESP has no ports, so a NAT cannot tell whose it is (RFC 3948, 1)."""
        ends = {side: self._encapsulation(side, plain=side in plain) for side in Side}
        remedies = tuple(
            Remedy(side, change, ends[side].paths)
            for side in Side
            for change, wanted in (
                ("set nat-traversal: {enabled: true}", not self._peer(side).nat_traversal.enabled),
                ("set encapsulation: auto", self._peer(side).encapsulation is Encapsulation.ESP),
            )
            if wanted
        )
        title = f"Plain ESP does not pass the NAT at {self._pair.seen_address(self._pair.behind_nat or Side.OURS)}"
        point = Point("encapsulation", *(ends[side] for side in Side))
        return Obstacle(title, "IKE_SA_INIT", Act.CHILD_SA, NO_WAY_FOR_ESP, Side.OURS, (point,), remedies)

    def _encapsulation(self, side: Side, *, plain: bool) -> Position:
        peer = self._peer(side)
        words = [
            f"encapsulation: {peer.encapsulation}",
            *(["nat-traversal: off"] if not peer.nat_traversal.enabled else []),
        ]
        option = "encapsulation" if peer.nat_traversal.enabled else "nat-traversal"
        sends = "sends plain ESP" if plain else "sends ESP in UDP"
        return Position((*words, sends), (_gateway(peer, option), _gateway(peer)))

    def unasked(self, side: Side, name: str) -> Obstacle:
        """A child of an end that never begins, and that the other end never asks for."""
        failure = Failure(Act.CHILD_SA, side, {side: name}, dict.fromkeys(Side, ()))
        return self._selectors(failure, name)

    def _peer(self, side: Side) -> PeerPlan:
        return self._pair.of(side)

    # -- algorithms

    def _proposals(self, failure: Failure) -> Obstacle:
        ike = failure.act in (Act.IKE_SA, Act.REKEY_IKE_SA)
        profiles = {side: self._profile(side, failure) for side in Side}
        proposals = {side: profile[1] for side, profile in profiles.items()}
        if failure.act is Act.CHILD_SA and failure.telling.stage == "IKE_AUTH":
            proposals = {side: select.without_key_exchange(these) for side, these in proposals.items()}
        found = select.choose(proposals[failure.asker], proposals[failure.asker.other])
        types = _types(found) if isinstance(found, Mismatch) else ()
        options = {kind: _option(kind, ike=ike) for kind in _all_types(proposals)}
        troubled = tuple(dict.fromkeys(options[kind] for kind in types if kind in options))
        points = tuple(
            Point(option, *(self._offer(side, profiles[side], proposals[side], option, options) for side in Side))
            for option in troubled
        )
        fits = tuple(
            word
            for option in dict.fromkeys(options.values())
            if option not in troubled
            for word in _common(
                *(_words(proposals[side], option, options) for side in (failure.asker, failure.asker.other))
            )
        )
        what = "the IKE SA" if ike else "the IPsec SAs"
        if not points:
            return self._other(failure, f"No common proposal for {what}")
        title = f"No common {' and '.join(troubled)} for {what}"
        if failure.act is Act.REKEY_CHILD_SA:
            title += ": the first ones need none, the first rekey fails"
        return self._obstacle(failure, title, points, tuple(_remedies(points)), fits)

    def _profile(self, side: Side, failure: Failure) -> tuple[tuple[Path, Path], tuple[Proposal, ...]]:
        """Where the profile is written, where it is chosen, and what it offers."""
        peer = self._peer(side)
        if failure.act in (Act.IKE_SA, Act.REKEY_IKE_SA) and peer.ikev1 is not None and _by_ikev1(failure):
            chosen = _gateway(peer, "ikev1", "ike-crypto-profile")
            expressed = phase_one_proposals(peer.ikev1.profile.proposals)
            return (("ike-crypto-profiles", peer.ikev1.profile.name), chosen), expressed
        if failure.act in (Act.IKE_SA, Act.REKEY_IKE_SA):
            chosen = _gateway(peer, "ikev2", "ike-crypto-profile")
            return (("ike-crypto-profiles", peer.profile.name), chosen), peer.profile.proposals
        tunnel = self._tunnel(side, failure)
        if tunnel is None:
            return (_gateway(peer), _gateway(peer)), ()
        chosen = ("ipsec-tunnels", tunnel.name, "ipsec-crypto-profile")
        return (("ipsec-crypto-profiles", tunnel.profile.name), chosen), tunnel.profile.proposals

    def _tunnel(self, side: Side, failure: Failure) -> TunnelPlan | None:
        found = self._plans[side].child(failure.children[side]) if side in failure.children else None
        if found is not None:
            return found[0]
        return next(iter(self._plans[side].tunnels_of(self._peer(side).name)), None)

    def _offer(
        self,
        side: Side,
        profile: tuple[tuple[Path, Path], tuple[Proposal, ...]],
        proposals: Sequence[Proposal],
        option: str,
        options: Mapping[TransformType, str],
    ) -> Position:
        (written, chosen), _ = profile
        words = _words(proposals, option, options) or (_NO_PFS if option == "dh-group" else _NONE,)
        return Position(words, ((*written, *option.split(".")), chosen, chosen[:2]))

    # -- who is who

    def _identities(self, failure: Failure) -> Obstacle:
        points, remedies = [], []
        for judge in Side:
            claimant, said, wanted = judge.other, self._peer(judge.other).local_id, self._pair.expected(judge)
            if said == wanted:
                continue
            claim = Position((str(said),), (_gateway(self._peer(claimant), "local-id"), _gateway(self._peer(claimant))))
            demand_paths = (_gateway(self._peer(judge), "peer-id"), _gateway(self._peer(judge), "peer-address"))
            demand = Position((str(wanted),), demand_paths)
            ends = (claim, demand) if claimant is Side.OURS else (demand, claim)
            name = "local-id and peer-id" if claimant is Side.OURS else "peer-id and local-id"
            points.append(Point(name, *ends))
            remedies.append(Remedy(judge, f"set peer-id: {_spelt(said)}", demand.paths))
            remedies.append(Remedy(claimant, f"set local-id: {_spelt(wanted)}", claim.paths))
        title = "One end is not who the other one expects"
        return self._obstacle(failure, title, tuple(points), tuple(remedies))

    def _keys_differ(self) -> bool:
        return self._pair.ours.authentication.secret != self._pair.theirs.authentication.secret

    def _keys(self, failure: Failure) -> Obstacle:
        option = ("authentication", "pre-shared-key")
        ends = (Position((_NOT_SHOWN,), (_gateway(self._peer(side), *option),)) for side in Side)
        remedies = tuple(
            Remedy(side, "give it the key of the other end", (_gateway(self._peer(side), *option),)) for side in Side
        )
        return self._obstacle(failure, "The pre-shared keys differ", (Point("pre-shared-key", *ends),), remedies)

    def _ppks_differ(self) -> bool:
        return self._pair.ours.ppk != self._pair.theirs.ppk

    def _ppks(self, failure: Failure) -> Obstacle:
        ends = {side: Position(_ppk_words(self._peer(side)), self._ppk_paths(side)) for side in Side}
        common = set(ends[Side.OURS].words[1:]) & set(ends[Side.THEIRS].words[1:])
        title = "The keys of one post-quantum key ID differ" if common else "No common post-quantum pre-shared key"
        remedies = [
            Remedy(side, "give it the keys of the other end", ends[side].paths)
            for side in Side
            if self._peer(side.other).ppk is not None
        ]
        remedies += [
            Remedy(side, "set mode: preferred (weak: it goes on without where the other end has none)", end.paths)
            for side, end in ends.items()
            if end.words[:1] == (str(PpkMode.MANDATORY),) and not common
        ]
        return self._obstacle(failure, title, (Point("ppk", *(ends[side] for side in Side)),), tuple(remedies))

    def _ppk_paths(self, side: Side) -> tuple[Path, ...]:
        return (_gateway(self._peer(side), "ppk"), _gateway(self._peer(side)))

    # -- traffic

    def _selectors(self, failure: Failure, name: str) -> Obstacle:
        """The nearest of the other end's children is the one that shares most with the child that was asked for."""
        asker, replier = failure.asker, failure.asker.other
        found = self._plans[asker].child(name)
        candidates = [
            c for t in self._plans[replier].tunnels_of(self._peer(replier).name) if t.enabled for c in t.children
        ]
        if found is None or not candidates:
            return self._no_tunnel(failure, name)
        wanted = found[1]
        exact = _by_ikev1(failure)
        nearest = min(
            candidates,
            key=lambda c: (
                len(apart(wanted, c)),
                len(apart(wanted, c, exact=exact)),
                (replier, c.name) in self._served,
            ),
        )
        points: list[Point] = []
        remedies: list[Remedy] = []
        be = "be" if exact else "meet"
        halves = apart(wanted, nearest, exact=exact)
        # Our local half first, whoever asks: so that the same obstacle reads the same.
        for half in halves if asker is Side.OURS else reversed(halves):
            protocol = _only_protocol_differs(half, exact=exact)
            if protocol and points:
                break  # it is one option for both halves
            here = Position(_texts(half.asked), _proxy_paths(wanted, "protocol" if protocol else half.mine))
            there = Position(_texts(half.had), _proxy_paths(nearest, "protocol" if protocol else half.theirs))
            ends = (here, there) if asker is Side.OURS else (there, here)
            labels = (half.mine, half.theirs) if asker is Side.OURS else (half.theirs, half.mine)
            points.append(Point("protocol" if protocol else " and ".join(labels), *ends))
            remedies += (
                Remedy(replier, f"let {half.theirs} of {nearest.name} {be} {', '.join(here.words)}", there.paths),
                Remedy(asker, f"let {half.mine} of {wanted.name} {be} {', '.join(there.words)}", here.paths),
            )
        if not points:
            return self._never_asked(failure, wanted, nearest)
        title = f"No traffic in common between {wanted.name} and the nearest at the other end, {nearest.name}"
        if not apart(wanted, nearest):
            title = f"{wanted.name} and {nearest.name} differ, and IKEv1 takes each proxy ID exactly"
        return self._obstacle(failure, title, tuple(points), tuple(remedies))

    def _no_tunnel(self, failure: Failure, name: str) -> Obstacle:
        asker, replier = failure.asker, failure.asker.other
        tunnel = name.partition(":")[0]
        here = Position((tunnel,), (("ipsec-tunnels", tunnel),))
        off = [t for t in self._plans[replier].tunnels_of(self._peer(replier).name) if not t.enabled]
        if off:
            there = Position((f"{off[0].name} is disabled",), (("ipsec-tunnels", off[0].name, "disabled"),))
            remedies = (Remedy(replier, f"enable {off[0].name}", there.paths),)
        else:
            there = Position(("none",), (_gateway(self._peer(replier)),))
            remedies = (
                Remedy(replier, f"add an ipsec-tunnel with ike-gateway: {self._peer(replier).name}", there.paths),
            )
        ends = (here, there) if asker is Side.OURS else (there, here)
        return self._obstacle(failure, "The other end has no tunnel for it", (Point("tunnel", *ends),), remedies)

    def _never_asked(self, failure: Failure, wanted: ChildPlan, nearest: ChildPlan) -> Obstacle:
        """They have traffic in common, yet another child is the better match for what is asked."""
        here = Position((wanted.name,), _proxy_paths(wanted, "local"))
        there = Position((nearest.name,), _proxy_paths(nearest, "local"))
        ends = (here, there) if failure.asker is Side.OURS else (there, here)
        remedies = (
            Remedy(failure.asker.other, f"add a proxy ID for {wanted.name}, or let it begin there", there.paths),
        )
        title = f"Nobody asks for {wanted.name}: its end never begins, and the other has no proxy ID of its own for it"
        return self._obstacle(failure, title, (Point("proxy-ids", *ends),), remedies)

    # -- the rest

    def _modes(self, failure: Failure) -> Obstacle:
        tunnels = {side: self._tunnel(side, failure) for side in Side}
        places: dict[Side, Path] = {s: ("ipsec-tunnels", t.name, "mode") for s, t in tunnels.items() if t is not None}
        modes = {side: t.mode for side, t in tunnels.items() if t is not None}
        if len(modes) < len(tunnels) or len(set(modes.values())) == 1:
            return self._other(failure)
        # What is between the two gateways themselves is the narrower one, and seldom what both mean by mistake.
        first = next(side for side in Side if modes[side] is Mode.TRANSPORT)
        remedies = tuple(Remedy(s, f"set mode: {modes[s.other]}", (places[s],)) for s in (first, first.other))
        ends = (Position((str(modes[side]),), (places[side],)) for side in Side)
        return self._obstacle(failure, "The modes differ", (Point("mode", *ends),), remedies)

    def _other(self, failure: Failure, title: str | None = None) -> Obstacle:
        """In the words of the events."""
        told = failure.telling
        refusing = failure.asker.other if told in failure.events[failure.asker.other] else failure.asker
        said = {refusing: told.we_said, refusing.other: told.they_said}
        ends = (Position(said[side], (_gateway(self._peer(side)),)) for side in Side)
        detail = f": {told.detail}" if told.detail else ""
        text = title or f"{told.stage or 'It'} failed, {told.reason}{detail}"
        return self._obstacle(failure, text, (Point(str(told.reason), *ends),))

    def _why_it_waits(self, side: Side) -> Position:
        peer = self._peer(side)
        if peer.passive:
            return Position(("passive: true",), (_gateway(peer, "passive"),))
        if isinstance(peer.address, DynamicPeer):
            return Position(("peer-address: dynamic",), (_gateway(peer, "peer-address"),))
        return Position(("cannot reach an end behind a NAT",), (_gateway(peer, "peer-address"),))

    def _obstacle(
        self,
        failure: Failure,
        title: str,
        points: tuple[Point, ...],
        remedies: tuple[Remedy, ...] = (),
        fits: tuple[str, ...] = (),
    ) -> Obstacle:
        told = [event for side in Side for event in failure.events[side]]
        stage = failure.telling.stage if told else "CREATE_CHILD_SA"
        reason = failure.reason if told else FailureReason.SELECTORS_UNACCEPTABLE
        return Obstacle(title, stage, failure.act, reason, failure.asker, points, remedies, fits)


def _ppk_words(peer: PeerPlan) -> tuple[str, ...]:
    """The mode and the key IDs, never a key."""
    if peer.ppk is None:
        return ("none",)
    return (str(peer.ppk.mode), *(f"key ID {key.decode('ascii', 'backslashreplace')}" for key in sorted(peer.ppk.keys)))


def _gateway(peer: PeerPlan, *option: str) -> Path:
    return ("ike-gateways", peer.name, *option)


def _proxy_paths(child: ChildPlan, option: str) -> tuple[Path, ...]:
    tunnel: Path = ("ipsec-tunnels", child.tunnel)
    return (tunnel,) if child.proxy_id is None else ((*tunnel, "proxy-ids", child.proxy_id, option), tunnel)


def _texts(selectors: Sequence[TrafficSelector]) -> tuple[str, ...]:
    return tuple(map(str, selectors))


def apart(child: ChildPlan, other: ChildPlan, *, exact: bool = False) -> tuple[Half, ...]:
    """The halves of the traffic that have nothing in common; `exact`: that are not the same."""
    halves = (
        Half("local", "remote", child.local, other.remote),
        Half("remote", "local", child.remote, other.local),
    )
    return tuple(half for half in halves if not _meets(half.asked, half.had, exact=exact))


def _meets(asked: Sequence[TrafficSelector], had: Sequence[TrafficSelector], *, exact: bool) -> bool:
    return set(asked) == set(had) if exact else bool(narrow(tuple(asked), tuple(had)))


def _by_ikev1(failure: Failure) -> bool:
    told = any(failure.events[side] for side in Side)
    return told and failure.telling.stage in _IKEV1_STAGES


def _only_protocol_differs(half: Half, *, exact: bool) -> bool:
    """Whether the addresses would meet."""
    asked, had = (
        [replace(s, protocol=ANY_PROTOCOL, start_port=0, end_port=MAX_PORT) for s in selectors]
        for selectors in (half.asked, half.had)
    )
    return _meets(asked, had, exact=exact)


def _spelt(identity: Identity) -> str:
    kind, _, name = str(identity).partition(":")
    return f"{{{kind}: {name}}}"


def _types(mismatch: Mismatch) -> tuple[TransformType, ...]:
    """The transform types in the way of the nearest two proposals."""
    named = {kind.name.lower(): kind for kind in TransformType}
    types = tuple(named[o.type] for o in mismatch.nearest)
    if TransformType.ENCR in types:
        # An AEAD has no integrity of its own: that one end has none is no second obstacle.
        types = tuple(
            t for t in types if t is not TransformType.INTEG or all(o.offered and o.accepted for o in mismatch.nearest)
        )
    return types


def _all_types(proposals: Mapping[Side, Sequence[Proposal]]) -> tuple[TransformType, ...]:
    return tuple(
        dict.fromkeys(kind for side in Side for p in proposals[side] for kind in p.types if kind != TransformType.SN)
    )


def _option(kind: TransformType, *, ike: bool) -> str:
    """How the configuration names what becomes this transform type."""
    match kind:
        case TransformType.ENCR:
            return "encryption" if ike else "esp.encryption"
        case TransformType.INTEG | TransformType.PRF:
            return "hash" if ike else "esp.authentication"
        case TransformType.KE:
            return "dh-group"
        case _:
            return "additional-key-exchange"


def _words(proposals: Sequence[Proposal], option: str, options: Mapping[TransformType, str]) -> tuple[str, ...]:
    """All that these proposals have for an option, in their order, spelt as in the configuration."""
    transforms = (t for p in proposals for t in p.transforms if options.get(t.type) == option)
    return tuple(dict.fromkeys(transform_name(t).removeprefix("prf-") for t in transforms))


def _common(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in one if word in other)


def _remedies(points: Sequence[Point]) -> Iterator[Remedy]:
    """At either end, what the other one has; what makes it no weaker comes first."""
    for point in points:
        found = []
        for side in Side:
            here, there = point.of(side), point.of(side.other)
            word = next((w for w in there.words if not _weakness(w)), there.words[0])
            single = point.option == "dh-group" and here.paths[0][0] == "ipsec-crypto-profiles"
            if word == _NONE:
                change = f"leave out {point.option}"
            else:
                change = f"set dh-group: {word}" if single else f"add {word} to {point.option}"
            weakness = {_NO_PFS: "no fresh key exchange", _NONE: "nothing instead"}.get(word) or _weakness(word)
            found.append(
                (bool(weakness), Remedy(side, change + (f" (weak: {weakness})" if weakness else ""), here.paths))
            )
        yield from (remedy for _, remedy in sorted(found, key=lambda pair: pair[0]))


def _weakness(word: str) -> str:
    tables = (algorithms.ENCRYPTION_BY_NAME, algorithms.INTEGRITY_BY_NAME, algorithms.KEY_EXCHANGE_BY_NAME)
    rows = (table.get(word) for table in tables)
    return next((row.because for row in rows if row is not None and row.strength is Strength.WEAK), "")
