from __future__ import annotations

import pytest

from isthmus.cli.spell import size, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "0s"), (59.6, "1m"), (3599, "59m 59s"), (3600, "1h"), (90061, "1d 1h"), (86461, "1d 1m")],
)
def test_a_span_names_its_two_greatest_units(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(("octets", "text"), [(0, "0 B"), (999, "999 B"), (1200, "1.2 kB"), (5 * 10**16, "50.0 PB")])
def test_a_size_is_told_in_powers_of_a_thousand(octets: int, text: str) -> None:
    assert size(octets) == text
