"""By which version a peer is called where IKEv2 is preferred and IKEv1 will do. Reasons: `docs/decisions/010`."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.engine.retry import fraction
from isthmus.engine.surroundings import Entropy
from isthmus.model.plan import PeerPlan, Version
from isthmus.model.quantities import Instant, Seconds

TRIES = 5
"""Unanswered tries of a first message after which the other version has its turn: a quarter of a minute."""

_PROOF_HOLDS = Seconds(24 * 3600.0)
"""A peer that has proved with its key that it speaks IKEv2 is not called by IKEv1 for so long: who blocks IKEv2 on the
way has to do it for a day, which nobody overlooks."""

_ASK_AGAIN = Seconds(3600.0)
"""How long IKEv1 is good enough before the peer is asked whether it speaks IKEv2 by now."""


@dataclass(frozen=True, slots=True)
class Choice:
    version: Version
    alternative: bool = False
    """Whether the other version has its turn if nobody answers."""


@dataclass(slots=True)
class Preference:
    """What was learnt of one peer. Only silence and proof teach anything: a refusal that proves nothing does not."""

    why_not: str = ""
    """What came of IKEv2 before IKEv1 had its turn."""
    _older: bool = False
    """Whether it is IKEv1's turn."""
    _proved_at: Instant | None = None
    """When the peer was last known to speak IKEv2, by its own proof."""

    def choice(self, peer: PeerPlan, now: Instant) -> Choice:
        """By which version to call the peer."""
        if peer.version is not Version.IKEV2_PREFERRED:
            return Choice(peer.version)
        if self._older:
            return Choice(Version.IKEV1, alternative=True)
        held_to_it = self._proved_at is not None and now - self._proved_at < _PROOF_HOLDS
        return Choice(Version.IKEV2, alternative=not held_to_it)

    def proved(self, now: Instant) -> None:
        """An IKE SA of version 2 with it stands, or did until now."""
        self._proved_at = now

    def unanswered(self, why: str) -> None:
        """All tries of IKEv2 met silence."""
        self._older, self.why_not = True, why

    def keep_older(self) -> None:
        """IKEv1 stands with it, and serves for the time being."""
        self._older = True

    def prefer(self) -> None:
        """IKEv2 has its turn again."""
        self._older = False


def ask_again_after(entropy: Entropy) -> Seconds:
    """When a peer that speaks IKEv1 is asked for IKEv2 again; spread, so that many do not march in step."""
    return Seconds(_ASK_AGAIN * (0.9 + 0.2 * fraction(entropy)))
