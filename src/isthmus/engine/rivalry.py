"""Whether an IKE SA is to go in favour of another with the same peer, and whether the peer still knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isthmus.engine.deadlines import Deadline
from isthmus.engine.ledger import Turn
from isthmus.model.quantities import Instant

if TYPE_CHECKING:
    from isthmus.engine.ike_sa import IkeSa


class Rivalry:
    """What one IKE SA expects of its twin. Nothing is taken down at once: the other may still come to nothing."""

    def __init__(self, sa: IkeSa) -> None:
        self._sa = sa
        self._twin: IkeSa | None = None
        self._suspected = False

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
        if self._sa.peer is not None:
            for other in ledger.with_peer(self._sa.peer.name):
                if other.rivalry._twin is old:
                    other.rivalry._twin = self._sa

    def suspect(self) -> None:
        """Somebody says, without proof, that the peer does not know this IKE SA."""
        self._suspected = True
        if self._sa.established and self._twin is None:
            self._sa.ledger.tell(self._sa.peer, Turn.SUSPICION)

    def decide(self) -> None:
        """The moment is over."""
        twin, self._twin = self._twin, None
        if not self._sa.established or twin is None or not twin.established:
            return
        reason = "another IKE SA with the same peer replaced it"
        if self._suspected:
            self._sa.delete_silently(reason)  # the peer has proved by the other one that it began anew
        else:
            self._sa.dialect.delete_ike(reason)
