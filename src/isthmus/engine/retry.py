"""How long to wait before trying again: exponential, capped, with jitter so that peers do not march in step."""

from __future__ import annotations

from isthmus.engine.surroundings import Entropy
from isthmus.model.plan import PeerPlan, Version
from isthmus.model.quantities import Seconds

MAX_ATTEMPTS = 10
"""Design, 6: a request is sent ten times at most."""

HURRIED_ATTEMPTS = 4
"""So many tries in quick succession before a peer that has been silent is suspected of having forgotten us."""

LONGEST_REPEAT = Seconds(30.0)
HALF_OPEN_PACE = Seconds(4.0)
"""The longest wait while a responder holds us for half-open: ten tries last about as long as it does that."""

_FIRST_REPEAT = 0.5
_SHORTEST_HURRY = 0.12
_LONGEST_HURRY = 1.0
LONGEST_RECONNECT = Seconds(60.0)
_FIRST_RECONNECT = 1.0
_RECONNECT_GROWTH = 1.7
_FIRST_YIELD = 0.5
_LONGEST_YIELD = 10.0


def repeat_after(attempt: int, entropy: Entropy, longest: float = LONGEST_REPEAT) -> Seconds:
    """The wait after the `attempt`th sending (from 1) of a request: 0.5, 1, 2, 4 ... 30 s, give or take a tenth."""
    return _spread(min(_FIRST_REPEAT * 2.0 ** (attempt - 1), longest, LONGEST_REPEAT), 0.1, entropy)


class Pace:
    """How soon a peer answers, and how much that varies, as RFC 6298 estimates it for TCP."""

    def __init__(self) -> None:
        self._usual: float | None = None
        self._varies = 0.0

    def answered(self, took: float) -> None:
        if self._usual is None:
            self._usual, self._varies = took, took / 2
        else:
            self._varies += (abs(took - self._usual) - self._varies) / 4
            self._usual += (took - self._usual) / 8

    @property
    def patience(self) -> Seconds:
        """The wait before a liveness check is repeated."""
        return Seconds(min(max((self._usual or 0.0) + 2 * self._varies, _SHORTEST_HURRY), _LONGEST_HURRY))


def reconnect_after(failures: int, entropy: Entropy, longest: float = LONGEST_RECONNECT) -> Seconds:
    """The wait after so many failed set-ups in a row (from 1): from a second to a minute, never giving up."""
    wait = _FIRST_RECONNECT * _RECONNECT_GROWTH ** (min(failures, 20) - 1)
    return _spread(min(wait, longest, LONGEST_RECONNECT), 0.2, entropy)


def missed_after(peer: PeerPlan) -> Seconds:
    """The longest pause in calling a peer that is silent: whoever comes back is found as soon as it would be missed."""
    check = peer.ikev1.dpd if peer.ikev1 is not None and not peer.speaks(Version.IKEV2) else peer.liveness
    return Seconds(0.8 * check.interval) if check.enabled else LONGEST_REPEAT


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
