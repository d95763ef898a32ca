from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def budget() -> ModuleType:
    spec = importlib.util.spec_from_file_location("budget", ROOT / "tools/budget.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["budget"] = module
    spec.loader.exec_module(module)
    return module


def _tree(root: Path, exceptions: str = "") -> Path:
    (root / "pyproject.toml").write_text(
        f"[tool.isthmus.budget]\nlines = 5\npublic-methods = 1\nexceptions = {{{exceptions}}}\n"
    )
    (root / "src").mkdir()
    return root


def test_a_long_file_is_over_budget(budget: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (_tree(tmp_path) / "src/long.py").write_text("x = 1\n" * 6)
    assert budget.main(tmp_path) == 1
    assert capsys.readouterr().err == "src/long.py: 6 lines, 5 are allowed\n"


def test_a_reason_excuses_it(budget: ModuleType, tmp_path: Path) -> None:
    (_tree(tmp_path, '"src/long.py" = "a table"') / "src/long.py").write_text("x = 1\n" * 6)
    assert budget.main(tmp_path) == 0


def test_a_reason_for_nothing_is_a_fault(budget: ModuleType, tmp_path: Path) -> None:
    assert budget.main(_tree(tmp_path, '"src/gone.py" = "a table"')) == 1


def test_only_public_methods_count(budget: ModuleType, tmp_path: Path) -> None:
    (_tree(tmp_path) / "src/wide.py").write_text("class A:\n def a(self): ...\n def _b(self): ...\n")
    assert budget.main(tmp_path) == 0
    (tmp_path / "src/wide.py").write_text("class A:\n def a(self): ...\n def b(self): ...\n")
    assert budget.main(tmp_path) == 1


def test_the_repository_keeps_its_budget(budget: ModuleType) -> None:
    assert budget.main(ROOT) == 0
