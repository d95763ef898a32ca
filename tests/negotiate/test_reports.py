"""What decisions tell of themselves."""

from __future__ import annotations

from isthmus.negotiate.reports import Obstacle


def test_an_obstacle_tells_both_sides() -> None:
    text = str(Obstacle("ke", ("group2", "group5"), ("group14", "group19")))
    assert text == "ke: offered group2, group5; accepted group14, group19"


def test_an_empty_side_is_said_to_have_none() -> None:
    assert str(Obstacle("ke", (), ("group14",))) == "ke: offered none; accepted group14"
