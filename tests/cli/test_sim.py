"""`isthmus sim`."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from isthmus.cli.exit import ExitStatus, Failure
from isthmus.cli.sim import sim
from isthmus.sim.scenarios import TABLE

app = typer.Typer()
app.command()(sim)
runner = CliRunner()


def test_it_lists_every_scenario() -> None:
    result = runner.invoke(app, ["--list"])
    assert result.exit_code == ExitStatus.DONE
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(TABLE)


def test_the_list_is_there_as_json() -> None:
    rows = json.loads(runner.invoke(app, ["--list", "--json"]).stdout)
    assert {row["name"] for row in rows} == set(TABLE)


def test_one_run_says_how_it_went() -> None:
    result = runner.invoke(app, ["set-up", "--seed", "3", "--json"])
    assert result.exit_code == ExitStatus.DONE
    (run,) = json.loads(result.stdout)
    assert (run["scenario"], run["seed"], run["passed"]) == ("set-up", 3, True)


def test_several_seeds_follow_each_other() -> None:
    result = runner.invoke(app, ["set-up", "--seed", "3", "--seeds", "2", "--json"])
    assert [run["seed"] for run in json.loads(result.stdout)] == [3, 4]


def test_a_failure_has_its_transcript_and_status_one() -> None:
    result = runner.invoke(app, ["set-up", "--loss", "1", "--json"])
    assert result.exit_code == ExitStatus.FAILED
    (run,) = json.loads(result.stdout)
    assert run["replay"] == "isthmus sim set-up --seed 1 --loss 1"
    assert any("IKE_SA_INIT" in line or "HDR" in line for line in run["transcript"])


@pytest.mark.parametrize(("arguments", "status"), [([], ExitStatus.USAGE), (["set-upp"], ExitStatus.NOT_FOUND)])
def test_what_it_cannot_tell_it_refuses(arguments: list[str], status: ExitStatus) -> None:
    result = runner.invoke(app, arguments)
    assert isinstance(result.exception, Failure)
    assert result.exception.status == status
