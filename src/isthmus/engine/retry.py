"""How long to wait before trying again: exponential, capped, with jitter so that peers do not march in step."""

from __future__ import annotations

from isthmus.engine.surroundings import Entropy
from isthmus.model.quantities import Seconds

MAX_ATTEMPTS = 10
"""Design, 6: a request is sent ten times at most."""

_FIRST_REPEAT = 0.5
_LONGEST_REPEAT = 30.0
_FIRST_RECONNECT = 1.0
_LONGEST_RECONNECT = 60.0
_RECONNECT_GROWTH = 1.7
_FIRST_YIELD = 0.5
_LONGEST_YIELD = 10.0


def repeat_after(attempt: int, entropy: Entropy) -> Seconds:
    """The wait after the `attempt`th sending (from 1) of a request: 0.5, 1, 2, 4 ... 30 s, give or take a tenth."""
    return _spread(min(_FIRST_REPEAT * 2.0 ** (attempt - 1), _LONGEST_REPEAT), 0.1, entropy)


def reconnect_after(failures: int, entropy: Entropy) -> Seconds:
    """The wait after so many failed set-ups in a row (from 1): from a second to a minute, never giving up."""
    wait = _FIRST_RECONNECT * _RECONNECT_GROWTH ** (min(failures, 20) - 1)
    return _spread(min(wait, _LONGEST_RECONNECT), 0.2, entropy)


def yield_for(refusals: int, entropy: Entropy) -> Seconds:
    """The wait after TEMPORARY_FAILURE (RFC 7296, 2.25), so that two ends do not collide again."""
    return _spread(min(_FIRST_YIELD * 2.0 ** (min(refusals, 10) - 1), _LONGEST_YIELD), 0.5, entropy)


def rekey_after(lifetime: float, entropy: Entropy) -> Seconds:
    """Somewhere between 80 and 90 % of a lifetime (design, 6)."""
    return Seconds(lifetime * (0.8 + 0.1 * fraction(entropy)))


def fraction(entropy: Entropy) -> float:
    """Evenly spread between 0 and 1."""
    return int.from_bytes(entropy.octets(4), "big") / 0xFFFFFFFF


def _spread(seconds: float, part: float, entropy: Entropy) -> Seconds:
    return Seconds(seconds * (1 - part + 2 * part * fraction(entropy)))
