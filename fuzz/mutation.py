"""Seeded damage to octets: what a broken or hostile peer might send, one step away from something sensible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

LARGEST = 4096
"""No input grows above this: longer ones only make each run slower."""

_EDGES = (0, 1, 2, 3, 4, 7, 8, 16, 33, 46, 53, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)

Mutation = Callable[[Random, bytes, Sequence[bytes]], bytes]


def mutate(random: Random, octets: bytes, corpus: Sequence[bytes]) -> bytes:
    """One to four mutations, one upon the other."""
    for _ in range(random.randint(1, 4)):
        octets = random.choice(_MUTATIONS)(random, octets, corpus)[:LARGEST]
    return octets


def _flip(random: Random, octets: bytes, _: Sequence[bytes]) -> bytes:
    return (
        _put(octets, at := _place(random, octets), bytes([octets[at] ^ 1 << random.randrange(8)])) if octets else octets
    )


def _set_octet(random: Random, octets: bytes, _: Sequence[bytes]) -> bytes:
    return _put(octets, _place(random, octets), bytes([random.choice(_EDGES) & 0xFF]))


def _set_number(random: Random, octets: bytes, _: Sequence[bytes]) -> bytes:
    return _put(octets, _place(random, octets), random.choice(_EDGES).to_bytes(2, "big"))


def _nudge(random: Random, octets: bytes, _: Sequence[bytes]) -> bytes:
    """Lengths and counts are most interesting one off."""
    at = _place(random, octets)
    number = int.from_bytes(octets[at : at + 2], "big") + random.choice((-4, -1, 1, 4))
    return _put(octets, at, (number & 0xFFFF).to_bytes(2, "big"))


def _truncate(random: Random, octets: bytes, _: Sequence[bytes]) -> bytes:
    return octets[: _place(random, octets)]


def _remove(random: Random, octets: bytes, _: Sequence[bytes]) -> bytes:
    at = _place(random, octets)
    return octets[:at] + octets[at + random.randint(1, 16) :]


def _insert(random: Random, octets: bytes, _: Sequence[bytes]) -> bytes:
    at = _place(random, octets)
    return octets[:at] + random.randbytes(random.randint(1, 16)) + octets[at:]


def _repeat(random: Random, octets: bytes, _: Sequence[bytes]) -> bytes:
    at = _place(random, octets)
    return octets[:at] + octets[at : at + random.randint(1, 64)] * random.choice((2, 3, 40)) + octets[at:]


def _splice(random: Random, octets: bytes, corpus: Sequence[bytes]) -> bytes:
    other = random.choice(corpus)
    return octets[: _place(random, octets)] + other[_place(random, other) :]


def _place(random: Random, octets: bytes) -> int:
    return random.randrange(len(octets)) if octets else 0


def _put(octets: bytes, at: int, new: bytes) -> bytes:
    return octets[:at] + new + octets[at + len(new) :]


_MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _set_octet,
    _set_number,
    _nudge,
    _nudge,
    _truncate,
    _remove,
    _insert,
    _repeat,
    _splice,
)
