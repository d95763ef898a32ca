"""Every story, by many seeds. What fails says how to see it again, and where its whole transcript lies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from isthmus.sim.failure import SimulationFailure
from isthmus.sim.scenario import Scenario, tell
from isthmus.sim.scenarios import TABLE
from isthmus.sim.sweep import share

FAILED = Path(__file__).parents[2] / "target" / "simulation"
"""Where the transcripts of failures are written, a file each."""


def seeds(text: str) -> range:
    """`1-500`."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


SEEDS = seeds(os.environ.get("ISTHMUS_SIM_SEEDS", "1-25"))
"""What fits into minutes beside everything else. `make sweep` tells them by 500."""

MANY = range(0, 1000, 100)
"""Chunks of the thousand set-ups under loss, so that several workers share them."""


@pytest.mark.parametrize("name", TABLE)
def test_it_comes_as_told(name: str, record_property: Callable[[str, object], None]) -> None:
    steps = told(TABLE[name], SEEDS[0])
    runs = share(steps, SEEDS)
    for seed in runs[1:]:
        told(TABLE[name], seed)
    record_property("simulated", len(runs))


@pytest.mark.parametrize("first", MANY)
def test_a_tunnel_comes_up_although_a_third_of_all_datagrams_is_lost(first: int) -> None:
    for seed in range(first, first + 100):
        told(TABLE["set-up-under-loss"], seed)


def told(story: Scenario, seed: int) -> int:
    """Its steps. A story that fails is told once more, and all that is said is written down."""
    try:
        return tell(story, seed).steps
    except SimulationFailure as failure:
        place = FAILED / f"{story.name}-{seed}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        with pytest.raises(SimulationFailure) as again:
            tell(story, seed, remembered=None)
        place.write_text(f"{again.value}\n")
        pytest.fail(f"{failure}\nall of it: {place}", pytrace=False)
