"""Narrowing of traffic selectors. RFC 7296, 2.9."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from isthmus.model.plan import ChildPlan
from isthmus.model.selectors import TrafficSelector
from isthmus.negotiate.reports import SelectorMismatch


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A configured child, and the part of what was offered that it admits."""

    child: ChildPlan
    local: tuple[TrafficSelector, ...]
    remote: tuple[TrafficSelector, ...]


def narrow(offered: Sequence[TrafficSelector], configured: Sequence[TrafficSelector]) -> tuple[TrafficSelector, ...]:
    """What lies in both lists, without parts that another part contains, in the offer's order."""
    parts = [part for o in offered for c in configured if (part := o.intersection(c)) is not None]
    parts = list(dict.fromkeys(parts))
    return tuple(p for p in parts if not any(q != p and q.contains(p) for q in parts))


def within(answer: Sequence[TrafficSelector], offered: Sequence[TrafficSelector]) -> bool:
    """Whether an answer is no more than what we offered, and not nothing."""
    return bool(answer) and all(any(o.contains(a) for o in offered) for a in answer)


def select_child(
    local: Sequence[TrafficSelector], remote: Sequence[TrafficSelector], children: Iterable[ChildPlan]
) -> Narrowed | SelectorMismatch:
    """Which configured child answers an offer. `local` and `remote` are from our point of view.

    One that admits the first selectors of the offer goes before one that does not: they are those of the packet that
    asks. Then one whose selectors equal the offer wins, then one that admits all of it, then one that is all within
    it, then one that overlaps; the configuration's order decides between equals.
    """
    best: tuple[tuple[bool, int], Narrowed] | None = None
    candidates = tuple(children)
    for child in candidates:
        found = Narrowed(child, narrow(local, child.local), narrow(remote, child.remote))
        if not found.local or not found.remote:
            continue
        # RFC 7296, 2.9: what the initiator wants first must be in the answer if any policy allows it.
        misses = not (within(local[:1], child.local) and within(remote[:1], child.remote))
        rank = _rank(local, found.local, child.local) + _rank(remote, found.remote, child.remote)
        if best is None or (misses, rank) < best[0]:
            best = ((misses, rank), found)
    if best is not None:
        return best[1]
    return SelectorMismatch(tuple(local), tuple(remote), tuple((c.name, c.local, c.remote) for c in candidates))


def _rank(
    offered: Sequence[TrafficSelector], found: Sequence[TrafficSelector], configured: Sequence[TrafficSelector]
) -> int:
    if set(offered) == set(configured):
        return 0
    if within(offered, configured):
        return 1
    return 2 if within(configured, found) else 3
