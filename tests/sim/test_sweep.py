"""Many stories by many seeds."""

from __future__ import annotations

import pytest

from isthmus.model.quantities import Seconds
from isthmus.sim.scenario import TABLE, Scenario
from isthmus.sim.sweep import EACH, LONG, SHORT, share, sweep
from isthmus.sim.world import World

SEEDS = range(1, 101)


@pytest.mark.parametrize(("steps", "count"), [(1, 100), (SHORT, 100), ((LONG + EACH * 100) // 5, 5), (1_000_000, 1)])
def test_the_longer_a_story_the_fewer_seeds_tell_it(steps: int, count: int) -> None:
    assert share(steps, SEEDS) == range(1, 1 + count)


def test_each_story_is_told_by_each_seed() -> None:
    done = sweep(range(3, 8), [TABLE["set-up"], TABLE["delete-child-east"]], workers=2)
    assert (done.scenarios, done.throughout, done.seeds, done.runs, done.failures) == (2, 2, 5, 10, ())
    assert done.cpu > 0


def test_what_fails_ends_nothing_and_says_how_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def moody(world: World) -> None:
        world.run(limit=Seconds(1.0))
        world.check("pigs fly", world.seed != 4)

    monkeypatch.setitem(TABLE, "pigs", Scenario("pigs", "", moody))
    done = sweep(range(3, 8), [TABLE["pigs"], TABLE["set-up"]], workers=2)
    assert done.runs == 10
    (failure,) = done.failures
    assert (failure.replay, failure.seed) == ("isthmus sim pigs --seed 4", 4)
    assert "pigs fly" in failure.why


def test_what_fails_at_once_is_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(world: World) -> None:
        world.check("pigs fly", False)

    monkeypatch.setitem(TABLE, "pigs", Scenario("pigs", "", never))
    done = sweep(SEEDS, [TABLE["pigs"]], workers=1)
    assert done.runs == len(done.failures) == 1
