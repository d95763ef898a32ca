"""All stories, each by many seeds, on all cores."""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from isthmus.sim.failure import SimulationFailure
from isthmus.sim.scenario import Scenario, tell
from isthmus.sim.scenarios import TABLE

SHORT = 105
"""Steps of simulation that a story may take to be told by every seed: more than two hundred of them do."""

LONG = 600
"""Steps that a longer one may take in all its seeds together, so that hours of traffic are told a few times."""

EACH = 6
"""Steps that it may take besides for each seed that there is."""

CHUNK = 3000
"""Steps that one worker takes on at a time: a fraction of a second."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one story by several seeds."""

    scenario: str
    seeds: tuple[int, ...]
    steps: int
    """Of the longest."""
    cpu: float
    """Seconds."""
    failures: tuple[SimulationFailure, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """The sum of it."""

    scenarios: int
    throughout: int
    """Stories that were told by every seed."""
    seeds: int
    runs: int
    workers: int
    elapsed: float
    """Seconds, by the clock."""
    cpu: float
    """Seconds, of all workers."""
    failures: tuple[SimulationFailure, ...]

    @property
    def rate(self) -> float:
        """Runs in a second."""
        return self.runs / self.elapsed


def share(steps: int, seeds: range) -> range:
    """The seeds that a story of so many steps is told by."""
    return seeds if steps <= SHORT else seeds[: max(1, (LONG + EACH * len(seeds)) // steps)]


def sweep(seeds: range, stories: Iterable[Scenario] = tuple(TABLE.values()), workers: int | None = None) -> Sweep:
    """Every story by every seed, long ones by fewer: what fails does not end it."""
    count = workers or len(os.sched_getaffinity(0))
    began = time.perf_counter()
    told = list(_tell_all([story.name for story in stories], seeds, count))
    runs: dict[str, int] = {}
    for one in told:
        runs[one.scenario] = runs.get(one.scenario, 0) + len(one.seeds)
    return Sweep(
        scenarios=len(runs),
        throughout=sum(number == len(seeds) for number in runs.values()),
        seeds=len(seeds),
        runs=sum(runs.values()),
        workers=count,
        elapsed=time.perf_counter() - began,
        cpu=sum(one.cpu for one in told),
        failures=tuple(sorted((f for one in told for f in one.failures), key=lambda f: f.replay)),
    )


def _tell_all(names: list[str], seeds: range, workers: int) -> Iterator[Told]:
    """How long a story is shows when it is told for the first time; the rest follows in pieces of like length."""
    # The workers inherit all that is imported, and share it as long as no collection touches it.
    gc.collect()
    gc.freeze()
    try:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
            first: list[Future[Told]] = [pool.submit(tell_by, name, tuple(seeds[:1])) for name in names]
            pieces: list[Future[Told]] = []
            for done in as_completed(first):
                one = done.result()
                # What fails at once would fail again and again, and perhaps take long.
                rest = seeds[:0] if one.failures else share(one.steps, seeds)[1:]
                size = max(1, CHUNK // max(1, one.steps))
                pieces += [
                    pool.submit(tell_by, one.scenario, tuple(rest[at : at + size])) for at in range(0, len(rest), size)
                ]
                yield one
            for done in as_completed(pieces):
                yield done.result()
    finally:
        gc.unfreeze()


def tell_by(name: str, seeds: tuple[int, ...]) -> Told:
    """One story by these seeds."""
    began = time.process_time()
    steps, failures = 0, []
    for seed in seeds:
        try:
            steps = max(steps, tell(TABLE[name], seed).steps)
        except SimulationFailure as failure:
            failures.append(failure)
    return Told(name, seeds, steps, time.process_time() - began, tuple(failures))
