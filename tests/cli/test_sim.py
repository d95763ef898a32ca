"""`isthmus sim`."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from isthmus.cli.exit import ExitStatus, Failure
from isthmus.cli.sim import sim
from isthmus.sim.failure import SimulationFailure
from isthmus.sim.scenarios import TABLE
from isthmus.sim.sweep import Sweep

app = typer.Typer()
app.command()(sim)
runner = CliRunner()

FAILURE = SimulationFailure("pigs fly", at=1.0, seed=4, replay="isthmus sim pigs --seed 4", transcript=("a line",))


def test_it_lists_every_scenario() -> None:
    result = runner.invoke(app, ["--list"])
    assert result.exit_code == ExitStatus.DONE
    rows = [tuple(line.split()[:2]) for line in result.stdout.splitlines()]
    assert rows == [(name, str(row.version)) for name, row in TABLE.items()]
    assert {version for _, version in rows} == {"ikev1", "ikev2"}


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


def test_all_of_them_are_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    few = Sweep(scenarios=9, throughout=7, seeds=5, runs=40, workers=2, elapsed=0.5, cpu=0.8, failures=(FAILURE,))
    monkeypatch.setattr("isthmus.cli.sim.sweep", lambda seeds: few if seeds == range(2, 7) else None)
    result = runner.invoke(app, ["--all", "--seed", "2", "--seeds", "5"])
    assert result.exit_code == ExitStatus.FAILED
    assert "9 scenarios, 7 by 5 seeds, 2 long ones by fewer: 40 runs in 0 s on 2 cores, 80 runs/s" in result.stdout
    assert FAILURE.replay in result.stdout.splitlines()[-1]
    row = json.loads(runner.invoke(app, ["--all", "--seed", "2", "--seeds", "5", "--json"]).stdout)
    assert (row["rate"], row["failures"][0]["seed"]) == (80.0, 4)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], ExitStatus.USAGE),
        (["set-upp"], ExitStatus.NOT_FOUND),
        (["set-up", "--all"], ExitStatus.USAGE),
        (["--all", "--loss", "0.5"], ExitStatus.USAGE),
    ],
)
def test_what_it_cannot_tell_it_refuses(arguments: list[str], status: ExitStatus) -> None:
    result = runner.invoke(app, arguments)
    assert isinstance(result.exception, Failure)
    assert result.exception.status == status
