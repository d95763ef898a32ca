"""Two configurations negotiate before they meet: what would come up, and where not, why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from isthmus.model.plan import ChildPlan, Plan
from isthmus.sim.attempt import Act, Attempt, Standing, attempt
from isthmus.sim.explainer import Explainer, apart
from isthmus.sim.obstacles import Obstacle
from isthmus.sim.pairing import Pair, Side, Unmatched, pair_up


class Result(StrEnum):
    """How a child fares, whoever begins."""

    UP = "up"
    UNTIL_REKEY = "until-rekey"
    """It comes up, and its first rekey fails."""
    NO_TRAFFIC = "no-traffic"
    """IKE agrees on it, and its packets would not arrive."""
    FAILED = "failed"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Fate:
    """A configured child of one end and what answers it at the other."""

    ours: str | None
    theirs: str | None
    result: Result
    standing: Standing | None = None
    """As it stood; None: it never did."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two gateways, from both ends."""

    pair: Pair
    attempts: tuple[Attempt, ...]
    fates: tuple[Fate, ...]
    obstacles: tuple[Obstacle, ...]

    @property
    def comes_up(self) -> bool:
        return not self.obstacles


@dataclass(frozen=True, slots=True)
class Rehearsal:
    meetings: tuple[Meeting, ...]
    unmatched: tuple[Unmatched, ...]

    @property
    def comes_up(self) -> bool:
        """A hub has more gateways than one branch knows: only where no two meet is that a failure."""
        return bool(self.meetings) and all(meeting.comes_up for meeting in self.meetings)


def rehearse(ours: Plan, theirs: Plan) -> Rehearsal:
    """Each pair of gateways that mean each other, called from either end. The same plans always give the same."""
    plans = {Side.OURS: ours, Side.THEIRS: theirs}
    pairs, unmatched = pair_up(ours, theirs)
    return Rehearsal(tuple(_meet(plans, pair) for pair in pairs), unmatched)


def _meet(plans: Mapping[Side, Plan], pair: Pair) -> Meeting:
    attempts = tuple(attempt(plans, pair, side) for side in Side)
    fates = tuple(_fates(attempts, behind_nat=pair.behind_nat is not None))
    ends = ((side, name) for fate in fates for side, name in ((Side.OURS, fate.ours), (Side.THEIRS, fate.theirs)))
    served = frozenset((side, name) for side, name in ends if name is not None)
    explainer = Explainer(plans, pair, served)
    children = {side: _children(plans[side], pair.of(side).name) for side in Side}
    unserved = {side: [c for c in children[side] if (side, c.name) not in served] for side in Side}
    obstacles = [*_obstacles(attempts, explainer, children), *_plain_through_nat(attempts, explainer, pair)]
    if all(one.never for one in attempts):
        blocks = tuple((side, child.name) for side in Side for child in children[side])
        obstacles.append(replace(explainer.waiting(), blocks=blocks))
    elif any(one.suite for one in attempts):
        for one in attempts:
            for child in unserved[one.begins] if one.never else ():
                obstacles.append(replace(explainer.unasked(one.begins, child.name), blocks=((one.begins, child.name),)))
    disabled = (
        _fate(side, child.name, Result.DISABLED)
        for side in Side
        for child in _children(plans[side], pair.of(side).name, enabled=False)
    )
    return Meeting(pair, attempts, (*fates, *_matched(unserved), *disabled), tuple(_merged(obstacles)))


def _plain_through_nat(attempts: tuple[Attempt, ...], explainer: Explainer, pair: Pair) -> Iterator[Obstacle]:
    """What IKE does not see: its own messages are UDP and pass."""
    for one in attempts if pair.behind_nat else ():
        for standing in one.standing:
            plain = tuple(side for side in Side if not standing.udp[side])
            if plain:
                blocks = tuple(standing.children.items())
                yield replace(explainer.plain_through_nat(plain), begins=(one.begins,), blocks=blocks)


def _matched(unserved: Mapping[Side, list[ChildPlan]]) -> Iterator[Fate]:
    """Children that never stood, beside those of the other end that they were probably meant for."""
    left = list(unserved[Side.THEIRS])
    for child in unserved[Side.OURS]:
        near = min(left, key=lambda other: len(apart(child, other)), default=None)
        if near is not None and len(apart(child, near)) < 2:
            left.remove(near)
            yield Fate(child.name, near.name, Result.FAILED)
        else:
            yield _fate(Side.OURS, child.name, Result.FAILED)
    yield from (_fate(Side.THEIRS, child.name, Result.FAILED) for child in left)


def _obstacles(
    attempts: tuple[Attempt, ...], explainer: Explainer, children: Mapping[Side, tuple[ChildPlan, ...]]
) -> Iterator[Obstacle]:
    for one in attempts:
        for failure in one.failures:
            if failure.act in (Act.IKE_SA, Act.REKEY_IKE_SA):
                blocks = tuple((one.begins, child.name) for child in children[one.begins])
            else:
                side = one.begins if one.begins in failure.children else one.begins.other
                blocks = ((side, failure.children[side]),) if side in failure.children else ()
            yield replace(explainer.explain(failure), begins=(one.begins,), blocks=blocks)


def _merged(obstacles: list[Obstacle]) -> Iterator[Obstacle]:
    """One cause once: who met it, and all that it blocks."""
    merged: dict[object, Obstacle] = {}
    for obstacle in obstacles:
        key = (obstacle.reason, obstacle.points)
        known = merged.setdefault(key, obstacle)
        begins = tuple(dict.fromkeys((*known.begins, *obstacle.begins)))
        merged[key] = replace(known, begins=begins, blocks=tuple(dict.fromkeys((*known.blocks, *obstacle.blocks))))
    yield from merged.values()


def _fates(attempts: tuple[Attempt, ...], *, behind_nat: bool) -> Iterator[Fate]:
    """What stood, and what of it failed in whichever direction."""
    failed = {
        (side, name)
        for one in attempts
        for failure in one.failures
        if failure.act is Act.CHILD_SA
        for side, name in failure.children.items()
        if side is failure.asker
    }
    stood: dict[tuple[str, str], Standing] = {}
    for standing in (standing for one in attempts for standing in one.standing):
        key = (standing.children[Side.OURS], standing.children[Side.THEIRS])
        known = stood.setdefault(key, standing)
        stood[key] = replace(known, rekeyed=known.rekeyed and standing.rekeyed)
    for (mine, other), standing in stood.items():
        refused = {(Side.OURS, mine), (Side.THEIRS, other)} & failed
        result = Result.UP if standing.rekeyed else Result.UNTIL_REKEY
        if refused:
            result = Result.FAILED
        elif behind_nat and not all(standing.udp.values()):
            result = Result.NO_TRAFFIC
        yield Fate(mine, other, result, standing)


def _fate(side: Side, name: str, result: Result) -> Fate:
    return Fate(name, None, result) if side is Side.OURS else Fate(None, name, result)


def _children(plan: Plan, peer: str, *, enabled: bool = True) -> tuple[ChildPlan, ...]:
    return tuple(c for t in plan.tunnels_of(peer) if t.enabled is enabled for c in t.children)
