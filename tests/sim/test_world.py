"""The event loop: time, timers, goals, and what a failure says."""

from __future__ import annotations

import pytest

from isthmus.engine.outputs import SendDatagram
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Instant, Seconds
from isthmus.sim.failure import SimulationFailure
from tests.sim.puppet import puppet, say, stage
from tests.sim.test_invariants import inbound, install, sealed

SECOND = Seconds(1.0)


def test_time_passes_when_nothing_happens() -> None:
    world, _, _ = stage()
    world.run(limit=Seconds(90.0))
    assert world.now == 90.0


def test_a_world_that_is_looked_at_seldom_is_looked_at_when_a_run_ends() -> None:
    world, east, west = stage()
    world.look_every = 1000
    world.agenda.after(SECOND, lambda: install(east, inbound(east, west)))
    world.run(limit=Seconds(0.5))
    with pytest.raises(SimulationFailure, match="nobody owns"):
        world.run(limit=SECOND)


def test_the_goal_is_looked_at_once_more_when_the_time_is_up() -> None:
    world, _, _ = stage()
    world.run(until=lambda: world.now >= 5.0, limit=Seconds(5.0))


def test_a_goal_that_is_missed_says_how_to_see_it_again() -> None:
    world, east, west = stage(seed=42)
    say(east, SendDatagram(Endpoint(east.address, 500), Endpoint(west.address, 500), sealed()))
    with pytest.raises(SimulationFailure) as failure:
        world.run(until=lambda: False, limit=SECOND)
    assert failure.value.seed == 42
    assert failure.value.at == 1.0
    text = str(failure.value)
    assert "again: again" in text
    assert "boots" in text


def test_a_timer_is_handled_when_it_is_due() -> None:
    world, east, _ = stage()
    gateway, rung = puppet(east), list[float]()

    def ring(now: Instant) -> None:
        rung.append(now)
        gateway.timer = Instant(now + 10.0) if now < 30 else None

    gateway.handle_timer = ring  # type: ignore[method-assign]
    east.tick()
    world.run(limit=Seconds(100.0))
    assert rung == [0.0, 10.0, 20.0, 30.0]
