"""What strangers can make happen at line rate is told once, and from then on once a second with a count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from isthmus.engine.deadlines import Deadline
from isthmus.events.ike import CookieDemanded, NegotiationFailed
from isthmus.events.message import DatagramDropped
from isthmus.model.quantities import Instant, Seconds

if TYPE_CHECKING:
    from isthmus.engine.ledger import Ledger

_PERIOD = Seconds(1.0)

Repeated: TypeAlias = CookieDemanded | DatagramDropped | NegotiationFailed


class Restraint:
    """Holds at most one event for each kind, trigger and peer: what it keeps is bounded by the configuration."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._withheld: dict[tuple[str, ...], tuple[int, Repeated]] = {}
        """How many were not told since the last one, and the latest of them."""

    def tell(self, event: Repeated) -> None:
        """Emits the first of its kind at once; counts those that follow within the second."""
        kind = _kind(event)
        held = self._withheld.get(kind)
        if held is not None:
            self._withheld[kind] = held[0] + event.count, event
            return
        ledger = self._ledger
        if not self._withheld:
            ledger.agenda.set(self, Deadline.TELL_WITHHELD, Instant(ledger.now + _PERIOD))
        self._withheld[kind] = 0, event
        ledger.emit(event)

    def due(self, what: Deadline) -> None:
        """Tells what was withheld; what has come to an end is told at once the next time."""
        ledger, withheld = self._ledger, self._withheld
        self._withheld = {kind: (0, event) for kind, (count, event) in withheld.items() if count}
        for count, event in withheld.values():
            if count:
                ledger.emit(_together(replace(event, at=ledger.now, count=count)))
        if self._withheld:
            ledger.agenda.set(self, Deadline.TELL_WITHHELD, Instant(ledger.now + _PERIOD))


def _kind(event: Repeated) -> tuple[str, ...]:
    match event:
        case DatagramDropped():
            return event.code, event.trigger, event.peer or ""
        case NegotiationFailed():
            return event.code, event.stage, event.reason, event.peer or ""
        case CookieDemanded():
            return (event.code,)


def _together(event: Repeated) -> Repeated:
    if isinstance(event, NegotiationFailed):
        return replace(event, detail=f"{event.detail} ({event.count} alike within a second)".strip())
    return event
