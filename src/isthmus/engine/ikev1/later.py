"""Something to be done in a moment, unless it has become pointless by then."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.engine.deadlines import Deadline
from isthmus.engine.ledger import Ledger
from isthmus.model.quantities import Instant


class Later:
    def __init__(self, ledger: Ledger, seconds: float, action: Callable[[], None]) -> None:
        self._action = action
        ledger.agenda.set(self, Deadline.GRACE_ENDS, Instant(ledger.now + seconds))

    def due(self, what: Deadline) -> None:
        self._action()
