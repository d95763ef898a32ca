"""How a simulation fails: what was broken, and all that is needed to see it again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial


class Violation(Exception):
    """Something that must always hold did not."""

    def __init__(self, invariant: str, why: str) -> None:
        super().__init__(f"{invariant}: {why}")
        self.invariant = invariant
        self.why = why


class GoalMissed(Exception):
    """A story did not reach what it was to reach in the time allowed."""


class SimulationFailure(Exception):
    """A run that went wrong, with its seed, its last lines, and the command that repeats it."""

    def __init__(self, why: str, *, at: float, seed: int, replay: str, transcript: tuple[str, ...]) -> None:
        self.why = why
        self.at = at
        self.seed = seed
        self.replay = replay
        self.transcript = transcript
        super().__init__(why)

    def __reduce__(self) -> tuple[Callable[[], SimulationFailure], tuple[()]]:
        """A worker hands it to whoever sums up."""
        again = partial(
            SimulationFailure,
            self.why,
            at=self.at,
            seed=self.seed,
            replay=self.replay,
            transcript=self.transcript,
        )
        return again, ()

    def __str__(self) -> str:
        lines = [f"after {self.at:.3f} s, seed {self.seed}: {self.why}", f"again: {self.replay}", *self.transcript]
        return "\n".join(lines)
