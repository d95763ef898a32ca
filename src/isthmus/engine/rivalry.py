"""Whether an IKE SA is to go in favour of another with the same peer, and whether the peer still knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isthmus.engine.deadlines import Deadline
from isthmus.engine.dialect import Progress
from isthmus.engine.ledger import Turn
from isthmus.engine.states import IkeLife
from isthmus.model.quantities import Instant

if TYPE_CHECKING:
    from isthmus.engine.ike_sa import IkeSa


class Rivalry:
    """What one IKE SA expects of its twin. Nothing is taken down at once: the other may still come to nothing."""

    def __init__(self, sa: IkeSa) -> None:
        self._sa = sa
        self._twin: IkeSa | None = None
        self._trial: IkeSa | None = None
        """What is tried beside this one, as the peer may have forgotten it."""
        self.doubted: IkeSa | None = None
        """The IKE SA beside which this one is tried."""
        self.suspected = False
        """Whether the peer may have forgotten this IKE SA: it is silent, or somebody says so without proof."""

    def expect(self, twin: IkeSa, seconds: float) -> None:
        """Another IKE SA with the same peer stands: this one goes in a moment, if the other is still there then."""
        self._twin = twin
        ledger = self._sa.ledger
        ledger.agenda.set(self._sa, Deadline.TWIN_ENDS, Instant(ledger.now + seconds))

    def inherit(self, old: IkeSa) -> None:
        """This one succeeds one of two twins: whoever was to go in favour of the other still is."""
        ledger, twin = self._sa.ledger, old.rivalry._twin
        ends = ledger.agenda.at(old, Deadline.TWIN_ENDS)
        if twin is not None and ends is not None:
            self.expect(twin, ends - ledger.now)
        self._stand_for(old)

    def yield_to(self, twin: IkeSa, seconds: float) -> None:
        """The same of two that crossed. Who was to go in favour of this one now goes in favour of the other."""
        self.expect(twin, seconds)
        twin.rivalry._stand_for(self._sa)

    def _stand_for(self, other: IkeSa) -> None:
        """Those that were to go in favour of the other one go in favour of this one."""
        if self._sa.peer is not None:
            for each in self._sa.ledger.with_peer(self._sa.peer.name):
                if each.rivalry._twin is other and each is not self._sa:
                    each.rivalry._twin = self._sa

    def suspect(self) -> None:
        """The peer does not answer, or somebody says without proof that it does not know this IKE SA."""
        self.suspected = True
        if self._sa.established and self._twin is None:
            self._sa.ledger.tell(self._sa.peer, Turn.SUSPICION)

    def try_beside(self, trial: IkeSa) -> None:
        """Another one is being set up, in case that the peer has forgotten this one."""
        self._trial, trial.rivalry.doubted = trial, self._sa

    def reassure(self) -> None:
        """The peer has proved that it knows this IKE SA: what was tried beside it is given up, unless it may stand."""
        if not self.suspected:
            return
        self.suspected = False
        trial, self._trial = self._trial, None
        if trial is not None and trial.life is IkeLife.CONNECTING and trial.dialect.progress is not Progress.COMMITTED:
            trial.delete_silently("the peer knows the IKE SA that stands")

    def decide(self) -> None:
        """The moment is over."""
        twin, self._twin = self._twin, None
        if not self._sa.established or twin is None or not twin.established:
            return
        reason = "another IKE SA with the same peer replaced it"
        if self.suspected:
            self._sa.delete_silently(reason)  # the peer has proved by the other one that it began anew
        else:
            self._sa.dialect.delete_ike(reason)
