"""Virtual time."""

from __future__ import annotations

from isthmus.model.quantities import Instant, Seconds
from isthmus.sim.agenda import Agenda


def test_actions_come_in_order_of_time_and_then_of_asking() -> None:
    agenda, done = Agenda(), list[str]()
    agenda.after(Seconds(2.0), lambda: done.append("later"))
    agenda.after(Seconds(1.0), lambda: done.append("first"))
    agenda.after(Seconds(1.0), lambda: done.append("second"))
    while agenda.due is not None:
        agenda.take()()
    assert done == ["first", "second", "later"]
    assert agenda.now == 2.0


def test_what_was_due_in_the_past_is_due_now() -> None:
    agenda = Agenda()
    agenda.advance(Instant(5.0))
    agenda.at(Instant(1.0), lambda: None)
    assert agenda.due == 5.0


def test_the_clock_never_runs_backwards() -> None:
    agenda = Agenda()
    agenda.advance(Instant(5.0))
    agenda.advance(Instant(4.0))
    assert agenda.now == 5.0
