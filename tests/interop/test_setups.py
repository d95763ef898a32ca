"""The bench of set-ups, with a crowd small enough for every run."""

from __future__ import annotations

import os

import pytest
from bench.rows import ROWS, Row
from bench.setups import measure

from tests.interop.strongswan import missing

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]
_COUNT = 20


@pytest.mark.parametrize("row", [ROWS[0], ROWS[-2], ROWS[-1]], ids=lambda row: row.name)
def test_ours_sets_up_a_crowd(row: Row) -> None:
    cost = measure(row, "isthmus", _COUNT)
    assert cost.cpu > 0


def test_strongswan_sets_up_the_same_crowd() -> None:
    if (why := missing()) is not None:
        pytest.skip(f"no strongSwan: {why}")
    assert measure(ROWS[0], "strongSwan 5.9.8", _COUNT).cpu > 0
