"""Choosing a proposal. RFC 7296, 2.7 and 3.3."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from isthmus.model import algorithms
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.model.proposal import Proposal, Protocol, Suite, Transform, TransformType, transform_name
from isthmus.negotiate.reports import Chosen, Mismatch, Obstacle

_NONE = 0
_ADDITIONAL = range(TransformType.ADDKE1, TransformType.ADDKE7 + 1)
_REMEMBERED = 64
"""Answers that are kept: peers are many, what they offer is always the same few. An offer has 64 transforms at most."""


def choose(offered: Sequence[Proposal], accepted: Sequence[Proposal]) -> Chosen | Mismatch:
    """The first of our proposals, in our order, that one of theirs satisfies; within it our first transforms."""
    nearest: tuple[Obstacle, ...] | None = None
    for ours in accepted:
        for theirs in offered:
            if theirs.protocol != ours.protocol:
                continue
            agreed, obstacles = _intersect(theirs.transforms, ours.transforms, ours.protocol)
            if not obstacles:
                proposal = Proposal(theirs.protocol, agreed, theirs.spi, theirs.number)
                return Chosen(proposal, suite_of(proposal))
            if nearest is None or len(obstacles) < len(nearest):
                nearest = obstacles
    return Mismatch(tuple(offered), tuple(accepted), nearest or ())


def confirms(answer: Proposal, offered: Sequence[Proposal]) -> Suite | None:
    """The suite of the responder's answer, if it is one of what we offered and nothing else; None otherwise."""
    for ours in offered:
        if ours.number != answer.number or ours.protocol != answer.protocol:
            continue
        if any(len(answer.of(kind)) != 1 for kind in answer.types):
            return None  # RFC 7296, 2.7: exactly one of each type
        agreed, obstacles = _intersect(answer.transforms, ours.transforms, ours.protocol)
        return None if obstacles else _suite(answer.protocol, agreed)
    return None


def without_key_exchange(proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """The same without KE and ADDKE: the first Child SA has none of its own (RFC 7296, 1.2; RFC 9370, 2.2.4)."""
    return tuple(Proposal(p.protocol, _first_transforms(p.transforms), p.spi, p.number) for p in proposals)


def first_method(proposals: Sequence[Proposal]) -> KeyExchangeMethod | None:
    """The key exchange that a requester guesses: the first of its first proposal that has one."""
    for proposal in proposals:
        for transform in proposal.of(TransformType.KE):
            row = algorithms.KEY_EXCHANGE_BY_ID.get(transform.id)
            if row is not None:
                return row
    return None


def offers_additional(proposals: Sequence[Proposal]) -> bool:
    """Whether any of the proposals asks for more than one key exchange."""
    return any(t.type in _ADDITIONAL and t.id != _NONE for p in proposals for t in p.transforms)


def offers_method(proposals: Sequence[Proposal], method: int) -> bool:
    """Whether a key exchange method stands in any of the proposals."""
    return any(t.id == method for p in proposals for t in p.of(TransformType.KE))


def suite_of(proposal: Proposal) -> Suite:
    """The rows of a proposal in which each type has one known transform."""
    return _suite(proposal.protocol, proposal.transforms)


@lru_cache(_REMEMBERED)
def _suite(protocol: Protocol, transforms: tuple[Transform, ...]) -> Suite:
    chosen = {t.type: t for t in transforms}
    encryption = chosen.get(TransformType.ENCR)
    integrity = chosen.get(TransformType.INTEG)
    prf = chosen.get(TransformType.PRF)
    ke = chosen.get(TransformType.KE)
    esn = chosen.get(TransformType.SN)
    return Suite(
        protocol=protocol,
        encryption=algorithms.encryption_by_id(encryption.id, encryption.key_bits) if encryption else None,
        integrity=algorithms.INTEGRITY_BY_ID.get(integrity.id) if integrity else None,
        prf=algorithms.PRF_BY_ID[prf.id] if prf else None,
        ke=algorithms.KEY_EXCHANGE_BY_ID.get(ke.id) if ke else None,
        esn=esn is not None and esn.id == 1,
        additional=tuple(
            (kind, algorithms.KEY_EXCHANGE_BY_ID[t.id])
            for kind, t in sorted(chosen.items())
            if kind in _ADDITIONAL and t.id != _NONE
        ),
    )


@lru_cache(_REMEMBERED)
def _first_transforms(transforms: tuple[Transform, ...]) -> tuple[Transform, ...]:
    kinds = (TransformType.KE, *_ADDITIONAL)
    return tuple(t for t in transforms if t.type not in kinds)


@lru_cache(_REMEMBERED)
def _intersect(
    of_theirs: tuple[Transform, ...], of_ours: tuple[Transform, ...], protocol: Protocol
) -> tuple[tuple[Transform, ...], tuple[Obstacle, ...]]:
    theirs, ours = Proposal(protocol, of_theirs), Proposal(protocol, of_ours)
    agreed: dict[TransformType, Transform] = {}
    obstacles: list[Obstacle] = []
    for kind in dict.fromkeys((*ours.types, *theirs.types)):
        mine, offered = ours.of(kind), theirs.of(kind)
        common = next((t for t in mine if t in offered), None)
        if common is not None:
            agreed[kind] = common
        elif not _may_be_absent(kind, mine, ours.protocol) or not _may_be_absent(kind, offered, ours.protocol):
            obstacles.append(_obstacle(kind, offered, mine))
        elif kind in _ADDITIONAL and offered:
            # RFC 9370, 2.2.1: of a type that was offered one is chosen, and be it NONE.
            agreed[kind] = next(t for t in offered if t.id == _NONE)
    exchanges = [kind for kind in agreed if kind == TransformType.KE or kind in _ADDITIONAL]
    common_methods = [tuple(t for t in ours.of(k) if t in theirs.of(k)) or (agreed[k],) for k in exchanges]
    methods = distinct(common_methods)
    if methods is None:
        obstacles += (_obstacle(k, theirs.of(k), ours.of(k)) for k in exchanges if k in _ADDITIONAL)
    else:
        agreed.update(zip(exchanges, methods, strict=True))
    return tuple(agreed.values()), tuple(obstacles)


def distinct(choices: Sequence[Sequence[Transform]]) -> tuple[Transform, ...] | None:
    """One of each choice, where no method is taken twice (RFC 9370, 2.2.1); NONE may be, as it is no method.

    Each takes its first that is free; where none is, an earlier one moves to its next.
    """
    holders: dict[int, int] = {}
    picked: dict[int, Transform] = {}

    def settle(index: int, tried: set[int]) -> bool:
        free = [t for t in choices[index] if t.id == _NONE or t.id not in holders]
        for transform in free or choices[index]:
            if not free:
                if transform.id in tried:
                    continue
                tried.add(transform.id)
                if not settle(holders[transform.id], tried):
                    continue
            picked[index], holders[transform.id] = transform, index
            return True
        return False

    if not all(settle(index, set()) for index in range(len(choices))):
        return None
    return tuple(picked[index] for index in range(len(choices)))


def _obstacle(kind: TransformType, offered: Sequence[Transform], accepted: Sequence[Transform]) -> Obstacle:
    return Obstacle(
        kind.name.lower(), tuple(transform_name(t) for t in offered), tuple(transform_name(t) for t in accepted)
    )


def _may_be_absent(kind: TransformType, transforms: tuple[Transform, ...], protocol: Protocol) -> bool:
    """Whether leaving the type out is the same as one of these. RFC 7296, 3.3.3: NONE may be said by silence.

    A missing SN transform is read as "no extended sequence numbers", which is what old peers mean by it.
    """
    if not transforms:
        return True
    return any(t.id == _NONE for t in transforms) and (kind != TransformType.SN or protocol != Protocol.IKE)
