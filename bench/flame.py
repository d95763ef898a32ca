"""Where the time of both gateways goes under load, as flame graphs: `python -m bench.flame [--output FOLDER]`.

Records with `perf` while iperf3 sends, for each load of `LOADS`; writes one SVG for each, and the shares as flame.json.

Stacks are followed by frame pointers. For deep ones build the compiled module with them first, and again without:

    touch rust/esp-py/src/lib.rs && RUSTFLAGS="-C force-frame-pointers=yes" make build

What is drawn is time on a processor, not time asleep. Where the processor is virtual and has no counters, `perf`
samples by a timer; what is done while interrupts are off then shows where they are let in again, in
`finish_task_switch` and `_raw_spin_unlock_irqrestore`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.contenders import isthmus
from bench.flames import Flame, drawing
from bench.process import kernel
from bench.stacks import FIELDS, Stacks, fold, shares
from bench.stage import Contender, Figures, Stage, answers, datagrams, listening, stream, version
from isthmus.lab.namespaces import Playground

FREQUENCY, SECONDS = 997, 3
"""How many samples a second, and for how long."""

LOADS: dict[str, Callable[[Stage, Contender, float], Figures]] = {
    "tcp": partial(stream, streams=1, reverse=False),
    "udp": partial(datagrams, size=64, rate=160_000),
}


@dataclass(frozen=True, slots=True)
class Recording:
    """What a load moved, and what was seen meanwhile of the gateway that seals, and of the one that opens."""

    figures: Figures
    sender: Stacks
    receiver: Stacks

    def gateways(self) -> Iterator[tuple[str, Stacks, float]]:
        """Each with how much of one processor it had."""
        for name, stacks in (("sender", self.sender), ("receiver", self.receiver)):
            yield name, stacks, 100 * stacks.total() / FREQUENCY / SECONDS


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench.flame", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("bench/results"), help="folder for the SVGs and the JSON")
    parser.add_argument("--note", help="a line for the captions: what is measured here")
    asked = parser.parse_args()
    if (why := _missing()) is not None:
        print(why, file=sys.stderr)
        return 1
    recordings = dict(_recorded())
    _write(asked.output, recordings, [asked.note] if asked.note else [])
    print("\n".join(_table(recordings)))
    return 0


def _missing() -> str | None:
    if os.geteuid() != 0:
        return "the flame graphs need root, for network namespaces, TUN devices and perf"
    packages = {"perf": "linux-perf", "iperf3": "iperf3"}
    return next((f"{p} is not installed (Debian: {packages[p]})" for p in packages if shutil.which(p) is None), None)


def _recorded() -> Iterator[tuple[str, Recording]]:
    with (
        Playground("flame") as playground,
        tempfile.TemporaryDirectory() as home,
        isthmus(stage := Stage.on(playground), Path(home)) as contender,
    ):
        answers(stage, contender)
        with listening(stage, contender), ThreadPoolExecutor(1) as loads:
            for name, load in LOADS.items():
                print(f"recording {name}", file=sys.stderr)
                # perf takes a moment to begin and to end.
                running = loads.submit(load, stage, contender, SECONDS + 3)
                time.sleep(1)
                folded = fold(_perf(contender.processes, Path(home) / "perf.data"))
                # The contender names the gateway that is called first: it is the one on the right.
                receiver, sender = (folded.get(process, Stacks()) for process in contender.processes)
                yield name, Recording(running.result(), sender, receiver)


def _perf(processes: tuple[int, ...], data: Path) -> str:
    """What it prints of the samples of these processes."""
    record = ["perf", "record", "--quiet", "-F", str(FREQUENCY), "-g", "-o", str(data)]
    _run(*record, "-p", ",".join(map(str, processes)), "--", "sleep", str(SECONDS))
    return _run("perf", "script", "-i", str(data), "--fields", FIELDS)


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words[:2])}: {done.stderr.strip()}")
    return done.stdout


def _write(folder: Path, recordings: dict[str, Recording], notes: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    date = datetime.now(UTC).date().isoformat()
    machine = f"{os.cpu_count()} cores, both gateways and both ends of iperf3 on them; Linux {kernel()}"
    told = {
        name: {
            "load": recording.figures.name,
            "rate": recording.figures.rate,
            "unit": recording.figures.unit,
            "gateways": {
                gateway: {"samples": stacks.total(), "processor": processor, "shares": shares(stacks)}
                for gateway, stacks, processor in recording.gateways()
            },
        }
        for name, recording in recordings.items()
    }
    whole = {"date": date, "machine": machine, "iperf3": version("iperf3", "--version"), "notes": notes, "loads": told}
    (folder / "flame.json").write_text(json.dumps(whole, indent=1) + "\n")
    for name, recording in recordings.items():
        ran = f"perf record -F {FREQUENCY} -g for {SECONDS} s while iperf3 sends from the left host to the right one"
        lines = [*notes, f"{date}; {machine}", ran]
        (folder / f"flame-{name}.svg").write_text(drawing(_said(recording.figures), lines, list(_flames(recording))))


def _said(figures: Figures) -> str:
    loss = "" if figures.loss is None else f", {figures.loss:.1f} % lost"
    return f"{figures.name}: {figures.rate:.1f} {figures.unit}{loss}, AES-128-GCM"


def _flames(recording: Recording) -> Iterator[Flame]:
    for name, stacks, processor in recording.gateways():
        yield Flame(f"the {name}'s gateway: {stacks.total()} samples, {processor:.0f} % of one processor", stacks)


def _table(recordings: dict[str, Recording]) -> Iterator[str]:
    columns = [(name, *gateway) for name, recording in recordings.items() for gateway in recording.gateways()]
    yield f"| % of its time | {' | '.join(f'{load}, {gateway}' for load, gateway, _, _ in columns)} |"
    yield f"|{'---|' * (len(columns) + 1)}"
    told = [shares(stacks) for _, _, stacks, _ in columns]
    for kind in told[0]:
        yield f"| {kind} | {' | '.join(f'{share[kind]:.0f}' for share in told)} |"
    yield f"| of one processor | {' | '.join(f'{processor:.0f}' for _, _, _, processor in columns)} |"


if __name__ == "__main__":
    sys.exit(main())
