from __future__ import annotations

from pathlib import Path

from isthmus.api.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli-json.md"


def test_the_reference_is_what_the_models_say() -> None:
    assert PAGE.read_text() == page(), "run `python -m isthmus.api.reference > docs/reference/cli-json.md`"
