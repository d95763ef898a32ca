"""`isthmus check`: what is wrong with a configuration, and where."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.exit import ExitStatus
from isthmus.config.load import load
from isthmus.config.problems import Problem, Severity


def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Configurations: each a file, or a directory of *.yaml files that join."
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print the problems as a JSON list.")] = False,
) -> None:
    """Tell every problem of a configuration with its place. Exit status 5: there is an error; warnings are none."""
    documents = [load(file) for file in files]
    problems = [problem for document in documents for problem in document.problems]
    if json:
        print(json_format.dumps([as_row(problem) for problem in problems], indent=2))
    else:
        for problem in problems:
            print(problem)
        sys.stdout.flush()
        for file, document in zip(files, documents, strict=True):
            print(f"{file}: {_verdict(document.problems)}", file=sys.stderr)
    if not all(document.valid for document in documents):
        raise typer.Exit(ExitStatus.CONFIGURATION_INVALID)


def as_row(problem: Problem) -> dict[str, str | int | None]:
    """The problem as `--json` has it."""
    return {
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "code": problem.code.name,
        "severity": problem.code.severity.value,
        "text": problem.text,
        "suggestion": problem.suggestion,
    }


def _verdict(problems: Sequence[Problem]) -> str:
    errors = sum(1 for problem in problems if problem.code.severity is Severity.ERROR)
    told = [_count(number, noun) for number, noun in ((errors, "error"), (len(problems) - errors, "warning")) if number]
    return f"{'invalid' if errors else 'valid'}, {' and '.join(told) or 'no problems'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
