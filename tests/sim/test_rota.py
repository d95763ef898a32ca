"""Whose turn it is."""

from __future__ import annotations

from isthmus.model.quantities import Instant
from isthmus.sim.rota import Rota
from isthmus.sim.site import Site
from tests.sim.puppet import puppet, stage


def _entered() -> tuple[Rota, Site, Site]:
    _, one, other = stage()
    rota = Rota()
    for site in (one, other):
        rota.enter(site)
    return rota, one, other


def _set(site: Site, at: float | None) -> None:
    puppet(site).timer = None if at is None else Instant(at)
    site.tick()


def test_nobody_has_a_turn_where_no_timer_is_due() -> None:
    assert _entered()[0].next() is None


def test_the_site_whose_timer_is_due_first_has_its_turn() -> None:
    rota, one, other = _entered()
    _set(one, 7.0)
    _set(other, 5.0)
    assert rota.next() == (5.0, other)
    _set(other, 9.0)
    assert rota.next() == (7.0, one)


def test_of_two_that_are_due_at_once_the_one_that_entered_first_has_its_turn() -> None:
    rota, one, other = _entered()
    _set(other, 5.0)
    _set(one, 5.0)
    assert rota.next() == (5.0, one)


def test_a_timer_that_was_moved_back_and_forth_is_not_lost() -> None:
    rota, one, _ = _entered()
    for at in (5.0, 3.0, 5.0, None, 5.0):
        _set(one, at)
        rota.next()
    assert rota.next() == (5.0, one)


def test_a_site_that_was_killed_has_no_turn() -> None:
    rota, one, _ = _entered()
    _set(one, 5.0)
    one.kill()
    assert rota.next() is None


def test_sites_that_something_happened_to_are_told_once_in_the_order_in_which_they_entered() -> None:
    rota, one, other = _entered()
    for site in (other, one):
        site.touched = True
        site.changed()
    assert list(rota.touched()) == [one, other]
    assert not list(rota.touched())
    assert not one.touched
