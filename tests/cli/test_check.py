"""`isthmus check`, as a shell sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from isthmus.cli.check import check
from tests.config.writing import ENVIRONMENT, SOUND, changed

_app = typer.Typer()
_app.command()(check)


def _run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(_app, [str(argument) for argument in arguments], env=ENVIRONMENT)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    file = tmp_path / "sound.yaml"
    file.write_text(SOUND)
    return file


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    file = tmp_path / "wrong.yaml"
    file.write_text(changed(("ike-gateway: branch", "ike-gateway: brnch"), ("dh-group: group20", "dh-group: group5")))
    return file


def test_warnings_do_not_fail(sound: Path) -> None:
    status, told, verdict = _run(sound)
    assert status == 0
    assert told.startswith(f"{sound}:6:1: ZONES-NOT-ENFORCED: warning: ")
    assert verdict == f"{sound}: valid, 1 warning\n"


def test_nothing_to_say_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    assert _run(tmp_path / "empty.yaml") == (0, "", f"{tmp_path / 'empty.yaml'}: valid, no problems\n")


def test_an_error_is_status_5_and_all_problems_are_told(wrong: Path) -> None:
    status, told, verdict = _run(wrong)
    assert status == 5
    assert [line.removeprefix(f"{wrong}:").split(": ")[:2] for line in told.splitlines()] == [
        ["6:1", "ZONES-NOT-ENFORCED"],
        ["14:56", "WEAK-ALGORITHM"],
        ["25:18", "UNKNOWN-NAME"],
    ]
    assert told.splitlines()[-1].endswith("did you mean branch?")
    assert verdict == f"{wrong}: invalid, 1 error and 2 warnings\n"


def test_several_configurations_are_told_apart(sound: Path, wrong: Path) -> None:
    status, told, verdict = _run(sound, wrong)
    assert status == 5
    assert len(told.splitlines()) == 4
    assert verdict.count("\n") == 2


def test_json_is_a_list_of_problems(wrong: Path) -> None:
    status, told, verdict = _run("--json", wrong)
    assert (status, verdict) == (5, "")
    assert json.loads(told)[-1] == {
        "file": str(wrong),
        "line": 25,
        "column": 18,
        "code": "UNKNOWN-NAME",
        "severity": "error",
        "text": '"brnch" is not defined in ike-gateways',
        "suggestion": "branch",
    }


def test_json_of_no_problem_is_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    assert _run("--json", tmp_path / "empty.yaml")[:2] == (0, "[]\n")


def test_a_file_that_is_not_there_is_a_problem_like_any_other(tmp_path: Path) -> None:
    status, told, _ = _run(tmp_path / "gone.yaml")
    assert status == 5
    assert "UNREADABLE" in told


def test_no_file_is_a_mistake_of_usage() -> None:
    assert _run()[0] == 2
