"""What the guide shows is what the gateway reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from isthmus.config.compile import compile as compile_plan
from isthmus.config.load import load

_ROOT = Path(__file__).resolve().parent.parent.parent
_PAGES = sorted([_ROOT / "README.md", *(_ROOT / "docs/guide").glob("*.md")])
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize(
    ("page", "text"),
    [(page.name, match[1]) for page in _PAGES for match in _BLOCK.finditer(page.read_text())],
)
def test_each_configuration_in_the_guide_is_accepted(tmp_path: Path, page: str, text: str) -> None:
    for name in re.findall(r"\{file: ([\w.-]+)\}", text):
        secret = tmp_path / name
        secret.write_text("0123456789abcdefghijklmnopqrstuvwxyzABCDEF=\n")
        secret.chmod(0o600)
    file = tmp_path / "isthmus.yaml"
    file.write_text(text)
    compiled = compile_plan(load(file), host=lambda interface: ())
    assert compiled.plan is not None, (page, [str(problem) for problem in compiled.problems])


@pytest.mark.parametrize("page", sorted([*_ROOT.glob("*.md"), *_ROOT.glob("docs/**/*.md")]), ids=lambda page: page.name)
def test_no_link_leads_nowhere(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text()) if not link.startswith("http")]
    assert [link for link in links if not (page.parent / link).exists()] == []
