"""`isthmus check`: what is wrong with a configuration, and where."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.exit import ExitStatus, Failure
from isthmus.config.load import Document, load
from isthmus.config.problems import Problem, Severity
from isthmus.status.rehearsal import ProblemRow


def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Configurations: each a file, or a directory of *.yaml files that join."
        ),
    ],
    peer: Annotated[
        Path | None,
        typer.Option("--peer", metavar="FILE", help="The other end's configuration: negotiate the two, offline."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the problems as a JSON list; with `--peer`, what would come up.")
    ] = False,
) -> None:
    """Tell every problem of a configuration with its place. Exit status 5: there is an error; warnings are none.

    With `--peer` the two ends then negotiate in a simulated network, each calling the other, and rekey what came up.
    What does not come up is told with both sides' values and the lines to change. Exit status 1: something does not.
    """
    if peer is not None and len(files) != 1:
        raise Failure(ExitStatus.USAGE, "--peer goes with one FILE")
    ends = [*files, *([peer] if peer is not None else [])]
    documents = [load(file) for file in ends]
    valid = all(document.valid for document in documents)
    problems = [problem for document in documents for problem in document.problems]
    if not json:
        # What is rehearsed wants the screen for itself; its warnings are counted, and told without `--peer`.
        _tell(ends, documents, quietly=peer is not None and valid)
    elif peer is None:
        print(json_format.dumps([asdict(as_row(problem)) for problem in problems], indent=2))
    if peer is not None and (valid or json):
        _rehearse((files[0], peer), documents, [as_row(problem) for problem in problems], as_json=json)
    if not valid:
        raise typer.Exit(ExitStatus.CONFIGURATION_INVALID)


def as_row(problem: Problem) -> ProblemRow:
    """The problem as `--json` has it."""
    return ProblemRow(
        file=problem.place.file,
        line=problem.place.line,
        column=problem.place.column,
        code=problem.code.name,
        severity=problem.code.severity.value,
        text=problem.text,
        suggestion=problem.suggestion,
    )


def _tell(files: Sequence[Path], documents: Sequence[Document], *, quietly: bool) -> None:
    for document in documents:
        for problem in () if quietly else document.problems:
            print(problem)
    sys.stdout.flush()
    for file, document in zip(files, documents, strict=True):
        print(f"{file}: {_verdict(document.problems)}", file=sys.stderr)


def _rehearse(
    files: tuple[Path, Path], documents: Sequence[Document], problems: Sequence[ProblemRow], *, as_json: bool
) -> None:
    # The simulation brings the engine with it: not before it is wanted.
    from isthmus.cli import rehearsal

    status = rehearsal.report(files, (documents[0], documents[1]), problems, as_json=as_json)
    if status is not ExitStatus.DONE:
        raise typer.Exit(status)


def _verdict(problems: Sequence[Problem]) -> str:
    errors = sum(1 for problem in problems if problem.code.severity is Severity.ERROR)
    told = [_count(number, noun) for number, noun in ((errors, "error"), (len(problems) - errors, "warning")) if number]
    return f"{'invalid' if errors else 'valid'}, {' and '.join(told) or 'no problems'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
