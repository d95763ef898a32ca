"""The table of stories and the telling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isthmus.model.quantities import Seconds
from isthmus.sim.failure import SimulationFailure
from isthmus.sim.network import Link
from isthmus.sim.scenario import Scenario, scenario, tell
from isthmus.sim.scenarios import TABLE
from isthmus.sim.world import World


def test_every_scenario_says_what_it_is_about() -> None:
    assert all(row.story for row in TABLE.values())


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="set-up"):
        scenario("set-up")(lambda world: None)


def test_a_promise_that_is_not_kept_carries_seed_and_replay() -> None:
    def broken(world: World) -> None:
        world.run(limit=Seconds(3.0))
        world.check("pigs fly", False)

    with pytest.raises(SimulationFailure) as failure:
        tell(Scenario("pigs", "", broken), seed=5, loss=0.25)
    assert failure.value.replay == "isthmus sim pigs --seed 5 --loss 0.25"
    assert failure.value.at == 3.0
    assert "pigs fly" in failure.value.why


def test_loss_can_be_asked_for_and_the_rest_of_the_weather_stays() -> None:
    seen: list[Link] = []
    row = Scenario("weather", "", lambda world: seen.append(world.network.link), Link(loss=0.1, duplicate=0.2))
    tell(row, 1)
    tell(row, 1, loss=0.5)
    assert seen == [row.link, replace(row.link, loss=0.5)]


@pytest.mark.parametrize(
    "name",
    [
        "set-up-under-loss",
        "rough-network",
        "ikev1-set-up-under-loss-main",
        "ikev1-rekey-child-both-at-once",
        "set-up-with-ml-kem-1024",
        "rekey-with-ml-kem-under-loss-rekey-ike",
        "ppk-and-ml-kem",
    ],
)
def test_the_same_seed_tells_the_same_story_to_the_last_octet(name: str) -> None:
    first, again, other = tell(TABLE[name], 7), tell(TABLE[name], 7), tell(TABLE[name], 8)
    assert first == again
    assert first.digest != other.digest


def test_a_failure_tells_the_last_lines_or_all_of_them() -> None:
    def broken(world: World) -> None:
        for number in range(100):
            world.transcript.note(world.now, "east", f"line {number}")
        world.check("pigs fly", False)

    told = Scenario("pigs", "", broken)
    with pytest.raises(SimulationFailure) as last:
        tell(told, 1)
    with pytest.raises(SimulationFailure) as whole:
        tell(told, 1, remembered=None)
    assert (len(last.value.transcript), len(whole.value.transcript)) == (60, 100)
    assert last.value.transcript == whole.value.transcript[-60:]
