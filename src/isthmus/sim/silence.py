"""Why nobody answers: two ends that speak no common version of IKE, or begin it in no common way."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.model.plan import ExchangeMode, PeerPlan, Version
from isthmus.sim.obstacles import Path, Point, Position, Remedy
from isthmus.sim.pairing import Pair, Side

_WEAK = "weak: IKEv1 is deprecated, RFC 9395"
_SPOKEN = (Version.IKEV2, Version.IKEV1)


@dataclass(frozen=True, slots=True)
class Cause:
    title: str
    point: Point
    remedies: tuple[Remedy, ...]


def cause_of_silence(pair: Pair, begins: Side) -> Cause | None:
    """What the two configurations tell of it; None: they do not tell."""
    if not any(pair.ours.speaks(version) and pair.theirs.speaks(version) for version in _SPOKEN):
        return _no_common_version(pair)
    by_ikev1 = not (pair.ours.speaks(Version.IKEV2) and pair.theirs.speaks(Version.IKEV2))
    return _no_common_mode(pair, begins) if by_ikev1 else None


def _no_common_version(pair: Pair) -> Cause:
    ends = {side: Position((pair.of(side).version.value,), _paths(pair.of(side), "version")) for side in Side}
    old, new = sorted(Side, key=lambda side: pair.of(side).version is Version.IKEV2)
    remedies = (
        Remedy(old, "set version: ikev2", ends[old].paths),
        Remedy(new, f"set version: ikev2-preferred ({_WEAK})", ends[new].paths),
    )
    return Cause("The ends speak no common version of IKE", Point("version", *(ends[s] for s in Side)), remedies)


def _no_common_mode(pair: Pair, begins: Side) -> Cause | None:
    caller, answerer = _mode(pair.of(begins)), _mode(pair.of(begins.other))
    asked = ExchangeMode.AGGRESSIVE if caller is ExchangeMode.AGGRESSIVE else ExchangeMode.MAIN
    if answerer in (asked, ExchangeMode.AUTO):
        return None
    ends = {
        side: Position((_mode(pair.of(side)).value,), _paths(pair.of(side), "ikev1", "exchange-mode")) for side in Side
    }
    aggressive = begins if asked is ExchangeMode.AGGRESSIVE else begins.other
    remedies = [Remedy(aggressive, "set exchange-mode: main", ends[aggressive].paths)]
    if aggressive is begins.other:
        remedies.append(Remedy(aggressive, "set exchange-mode: auto", ends[aggressive].paths))
    return Cause(
        f"One end begins in {asked} mode, which the other does not answer",
        Point("exchange-mode", *(ends[side] for side in Side)),
        tuple(remedies),
    )


def _mode(peer: PeerPlan) -> ExchangeMode:
    return peer.ikev1.exchange_mode if peer.ikev1 is not None else ExchangeMode.AUTO


def _paths(peer: PeerPlan, *option: str) -> tuple[Path, ...]:
    return (("ike-gateways", peer.name, *option), ("ike-gateways", peer.name))
