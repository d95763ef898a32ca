"""`make bench`: ours and its peers on the same stage in the same run. Prints a table, writes JSON and a plot.

python -m bench [--seconds 3] [--rounds 3] [--only NAME]... [--output FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.contenders import SETUPS, absent
from bench.plot import drawing
from bench.process import kernel
from bench.stage import (
    PACES,
    Contender,
    Figures,
    Stage,
    answers,
    datagrams,
    idle,
    latency,
    listening,
    memory,
    stream,
    version,
)
from isthmus.lab.namespaces import Playground

Results = dict[str, list[Figures]]


def main() -> int:
    asked = _arguments()
    if os.geteuid() != 0:
        print("the bench needs root, for network namespaces and TUN devices", file=sys.stderr)
        return 1
    rounds: dict[str, list[list[Figures]]] = {}
    setups = [setup for setup in asked.only or SETUPS if _plays(setup)]
    for number in range(asked.rounds):
        # By turns, so that a busy moment of the machine does not fall on one of them alone.
        for setup in setups:
            print(f"{setup}: round {number + 1} of {asked.rounds}", file=sys.stderr)
            name, figures = _round(setup, asked.seconds)
            rounds.setdefault(name, []).append(figures)
    results = {name: [_median(list(same)) for same in zip(*all_, strict=True)] for name, all_ in rounds.items()}
    _write(asked.output, results)
    print(_table(results))
    return 0


def _plays(setup: str) -> bool:
    if (why := absent(setup)) is not None:
        print(f"{setup}: left out: {why}", file=sys.stderr)
    return why is None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is told")
    parser.add_argument("--only", action="append", choices=list(SETUPS), help="may be given again")
    parser.add_argument("--output", type=Path, default=Path("bench/results"), help="folder for JSON and plot")
    return parser.parse_args()


def _round(setup: str, seconds: int) -> tuple[str, list[Figures]]:
    with (
        Playground("bench") as playground,
        tempfile.TemporaryDirectory() as home,
        SETUPS[setup](stage := Stage.on(playground), Path(home)) as contender,
    ):
        answers(stage, contender)
        return contender.name, list(_measured(stage, contender, seconds))


def _measured(stage: Stage, contender: Contender, seconds: int) -> Iterator[Figures]:
    for pace in PACES:
        yield latency(stage, contender, pace, count=300)
    with listening(stage, contender):
        for streams in (1, 4):
            for reverse in (False, True):
                yield stream(stage, contender, seconds, streams=streams, reverse=reverse)
        for size, rates in ((64, (50_000, 120_000, 160_000, 0)), (1200, (50_000, 0))):
            for rate in rates:
                yield datagrams(stage, contender, seconds, size=size, rate=rate)
    yield idle(contender, seconds)
    yield memory(contender)


def _median(same: list[Figures]) -> Figures:
    """The round in the middle, by its rate."""
    rate = statistics.median_low(figures.rate for figures in same)
    return next(figures for figures in same if figures.rate == rate)


def _table(results: Results) -> str:
    names = list(results)
    rows = [["", *names]]
    for figures in zip(*results.values(), strict=True):
        rows.append([f"{figures[0].name}, {figures[0].unit}", *map(_cell, figures)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(names) + 1)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(
        [*lines, "", "In brackets: packets lost; microseconds of CPU for a packet, left and right gateway."]
    )


def _cell(figures: Figures) -> str:
    notes = [] if figures.loss is None else [f"{figures.loss:.1f} %"]
    if figures.cpu:
        notes.append(" ".join(f"{cost:.1f}" for cost in figures.cpu))
    return f"{figures.rate:.2f}" + (f" ({'; '.join(notes)})" if notes else "")


def _write(folder: Path, results: Results) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, both gateways and both ends of iperf3 on them; Linux {kernel()}",
        "iperf3": version("iperf3", "--version"),
        "results": {name: [asdict(figures) for figures in all_] for name, all_ in results.items()},
    }
    (folder / "bench.json").write_text(json.dumps(told, indent=1) + "\n")
    (folder / "bench.svg").write_text(drawing(results, f"{told['date']}, {os.cpu_count()} cores for everything"))


if __name__ == "__main__":
    sys.exit(main())
