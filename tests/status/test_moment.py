from __future__ import annotations

from isthmus.model.quantities import Instant
from tests.api.fakes import NOW, WALL, moment


def test_an_instant_is_told_by_the_calendar() -> None:
    assert moment().iso(NOW) == "2027-01-15T08:00:00Z"
    assert moment().iso(Instant(NOW - 3600.0)) == "2027-01-15T07:00:00Z"
    assert moment().wall_of(Instant(NOW + 2.5)) == WALL + 2.5


def test_what_is_due_has_nothing_left_and_what_is_not_planned_is_none() -> None:
    assert moment().until(Instant(NOW + 90.6)) == 91
    assert moment().until(Instant(NOW - 5.0)) == 0
    assert moment().until(None) is None
