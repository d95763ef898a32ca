"""`isthmus sim`: the same engine over a simulated network, where every run can be repeated."""

from __future__ import annotations

import difflib
import json
import time
from dataclasses import asdict
from typing import Annotated

import typer

from isthmus.cli.exit import ExitStatus, Failure
from isthmus.sim.failure import SimulationFailure
from isthmus.sim.scenario import Outcome, Scenario, tell
from isthmus.sim.scenarios import TABLE
from isthmus.sim.sweep import sweep


def sim(
    scenario: Annotated[str | None, typer.Argument(help="The story to tell; `--list` names them all.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same run, to the last octet.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="Tell it so many times, each with the next seed.")] = 1,
    loss: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Share of datagrams that are lost, instead of the story's own."),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every scenario, on all cores.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Name every scenario.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell a story of two gateways over a simulated network.

    The engine is the one that `run` uses; the network, the clock and the random numbers are simulated.
    A failure shows the seed, the last lines of the transcript, and the command that repeats it.
    """
    if list_:
        return _list(as_json=as_json)
    if all_ and (scenario is not None or loss is not None):
        raise Failure(ExitStatus.USAGE, "--all goes with neither a scenario nor --loss: each has its own")
    if all_:
        return _sweep(range(seed, seed + seeds), as_json=as_json)
    if scenario is None:
        raise Failure(ExitStatus.USAGE, "name a scenario, or ask for --list or --all")
    chosen = TABLE.get(scenario)
    if chosen is None:
        near = difflib.get_close_matches(scenario, TABLE, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else "; see --list"
        raise Failure(ExitStatus.NOT_FOUND, f"no scenario is named {scenario}{hint}")
    return _tell(chosen, range(seed, seed + seeds), loss, as_json=as_json)


def _list(*, as_json: bool) -> None:
    if as_json:
        rows = [
            {"name": s.name, "version": s.version, "story": s.story, "tags": sorted(s.tags)} for s in TABLE.values()
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    width = max(len(name) for name in TABLE)
    for name, row in TABLE.items():
        typer.echo(f"{name:<{width}}  {row.version}  {row.story.splitlines()[0] if row.story else ''}")


def _sweep(seeds: range, *, as_json: bool) -> None:
    done = sweep(seeds)
    if as_json:
        failures = [_broken(failure) for failure in done.failures]
        typer.echo(json.dumps({**asdict(done), "rate": done.rate, "failures": failures}, indent=2))
    else:
        for failure in done.failures:
            typer.echo(str(failure), err=True)
        fewer = f", {done.scenarios - done.throughout} long ones by fewer" if done.throughout < done.scenarios else ""
        typer.echo(
            f"{done.scenarios} scenarios, {done.throughout} by {done.seeds} seeds{fewer}: "
            f"{done.runs} runs in {done.elapsed:.0f} s on {done.workers} cores, {done.rate:.0f} runs/s, "
            f"{done.cpu / done.runs * 1000:.1f} ms of CPU time each; {len(done.failures)} failed"
        )
        for failure in done.failures:
            typer.echo(f"  {failure.replay}")
    if done.failures:
        raise typer.Exit(ExitStatus.FAILED)


def _tell(chosen: Scenario, seeds: range, loss: float | None, *, as_json: bool) -> None:
    outcomes: list[Outcome] = []
    failures: list[SimulationFailure] = []
    began = time.perf_counter()
    for seed in seeds:
        try:
            outcomes.append(tell(chosen, seed, loss))
        except SimulationFailure as failure:
            failures.append(failure)
            if not as_json:
                typer.echo(str(failure), err=True)
    took = time.perf_counter() - began
    if as_json:
        broken = ({"scenario": chosen.name, **_broken(failure)} for failure in failures)
        typer.echo(json.dumps([*map(_passed, outcomes), *broken], indent=2))
    else:
        _sum_up(chosen, outcomes, failures, took)
    if failures:
        raise typer.Exit(ExitStatus.FAILED)


def _sum_up(chosen: Scenario, outcomes: list[Outcome], failures: list[SimulationFailure], took: float) -> None:
    runs = len(outcomes) + len(failures)
    if runs == 1 and outcomes:
        only = outcomes[0]
        typer.echo(
            f"{chosen.name}, seed {only.seed}: as told, {only.elapsed:.3f} simulated seconds, "
            f"{only.datagrams} datagrams, {only.lost} lost, {only.steps} steps, digest {only.digest}"
        )
        return
    elapsed = sum(outcome.elapsed for outcome in outcomes)
    typer.echo(
        f"{chosen.name}: {len(outcomes)} of {runs} as told, {elapsed:.0f} simulated seconds in {took:.1f} s, "
        f"{runs / took:.0f} runs/s"
    )


def _passed(outcome: Outcome) -> dict[str, object]:
    return {**asdict(outcome), "passed": True}


def _broken(failure: SimulationFailure) -> dict[str, object]:
    return {
        "seed": failure.seed,
        "passed": False,
        "at": failure.at,
        "why": failure.why,
        "replay": failure.replay,
        "transcript": list(failure.transcript),
    }
