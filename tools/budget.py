"""Keeps files and classes small: the limits and the reasoned exceptions stand in `[tool.isthmus.budget]`.

An exception names a file (`src/isthmus/x.py`) or a class in it (`src/isthmus/x.py:Name`) and gives its reason.
One that is no longer needed is a fault as well.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SOURCES = ("src/**/*.py", "src/**/*.pyi", "tests/**/*.py", "tools/**/*.py", "bench/**/*.py", "fuzz/**/*.py")
_RUST = ("rust/*/src/**/*.rs", "rust/*/tests/**/*.rs", "rust/*/benches/**/*.rs")


@dataclass(frozen=True, slots=True)
class Budget:
    lines: int
    public_methods: int
    exceptions: dict[str, str]

    @staticmethod
    def of(pyproject: Path) -> Budget:
        table = tomllib.loads(pyproject.read_text())["tool"]["isthmus"]["budget"]
        return Budget(table["lines"], table["public-methods"], table["exceptions"])


@dataclass(frozen=True, slots=True)
class Excess:
    """Something that is over its limit."""

    what: str
    text: str


def excesses(root: Path, budget: Budget) -> Iterator[Excess]:
    for pattern in (*_SOURCES, *_RUST):
        for path in sorted(root.glob(pattern)):
            name, text = path.relative_to(root).as_posix(), path.read_text()
            if (lines := len(text.splitlines())) > budget.lines:
                yield Excess(name, f"{lines} lines, {budget.lines} are allowed")
            if path.suffix == ".py":
                yield from _wide_classes(name, text, budget.public_methods)


def _wide_classes(name: str, text: str, limit: int) -> Iterator[Excess]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            public = [
                item.name
                for item in node.body
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
                and not item.name.startswith("_")
                and not _is_noun(item)
            ]
            if len(public) > limit:
                yield Excess(f"{name}:{node.name}", f"{len(public)} public methods, {limit} are allowed")


def _is_noun(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Properties are read like fields, and count as such."""
    return any(isinstance(d, ast.Name) and d.id in ("property", "cached_property") for d in function.decorator_list)


def main(root: Path) -> int:
    budget = Budget.of(root / "pyproject.toml")
    found = list(excesses(root, budget))
    faults = [f"{e.what}: {e.text}" for e in found if e.what not in budget.exceptions]
    faults += [
        f"pyproject.toml: the exception for {name} is not needed any more"
        for name in budget.exceptions
        if name not in {e.what for e in found}
    ]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent.parent))
