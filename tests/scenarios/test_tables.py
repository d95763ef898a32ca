"""How long things take, as committed tables: whoever makes them slower or faster sees it as a difference."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.measure import outage, time_to_establish

TABLES = {"time-to-establish.txt": time_to_establish, "outage.txt": outage}


@pytest.mark.parametrize(("name", "measured"), TABLES.items(), ids=TABLES)
def test_it_takes_as_long_as_the_table_says(name: str, measured: Callable[[], str]) -> None:
    """With `ISTHMUS_WRITE_TABLES=1` the tables are written anew; look at the difference before you commit it."""
    place = Path(__file__).parent / name
    table = measured()
    if os.environ.get("ISTHMUS_WRITE_TABLES") == "1":
        place.write_text(table)
    assert table == place.read_text()
