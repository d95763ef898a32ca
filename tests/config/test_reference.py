"""The generated page."""

from __future__ import annotations

from pathlib import Path

from isthmus.config.problems import CODES
from isthmus.config.reference import reference

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def test_the_page_is_up_to_date() -> None:
    assert _PAGE.read_text() == reference(), "python -m isthmus.config.reference > docs/reference/configuration.md"


def test_every_code_stands_in_it() -> None:
    page = reference()
    assert [code.name for code in CODES if f"| `{code.name}` | {code.severity.value} |" not in page] == []


def test_options_within_options_stand_in_it_with_their_defaults() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in reference().splitlines() if line.startswith("|")
    ]
    found = {row[0]: row[1:3] for row in rows}
    assert found["`ikev2.liveness.interval`"] == ["2s to 100s", "`5s`"]
    assert found["`lifetime`"] == ["180s to 365d", "`1h`"]
    assert found["`peer-address`"] == ["an address, a host name, or `dynamic`", "required"]
    assert found["`proxy-ids.NAME.remote-port`"][1] == "`any`"
    assert found["`static-routes.NAME.path-monitor.destinations[].count`"] == ["3 to 10", "`5`"]
