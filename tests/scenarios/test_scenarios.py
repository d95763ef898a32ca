"""Every story, by several seeds. What fails says how to see it again: `isthmus sim NAME --seed N`."""

from __future__ import annotations

import pytest

from isthmus.sim.scenario import tell
from isthmus.sim.scenarios import TABLE

SEEDS = (1, 2)

MANY = range(0, 1000, 100)
"""Chunks of the thousand set-ups under loss, so that several workers share them."""


@pytest.mark.parametrize("name", TABLE)
def test_it_comes_as_told(name: str) -> None:
    for seed in SEEDS[:1] if "hours" in TABLE[name].tags else SEEDS:
        tell(TABLE[name], seed)


@pytest.mark.parametrize("first", MANY)
def test_a_tunnel_comes_up_although_a_third_of_all_datagrams_is_lost(first: int) -> None:
    for seed in range(first, first + 100):
        tell(TABLE["set-up-under-loss"], seed)
