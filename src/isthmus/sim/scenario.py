"""The table of stories, and how one is told."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product

from isthmus.model.plan import Version
from isthmus.sim.failure import GoalMissed, Violation
from isthmus.sim.network import Link
from isthmus.sim.transcript import REMEMBERED
from isthmus.sim.world import World

Story = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named story that is told in a world: it sets up sites, lets things happen, and says what must come of it."""

    name: str
    story: str
    tell: Callable[[World], None]
    link: Link = field(default_factory=Link)
    """The weather, unless the teller asks for another loss."""
    tags: frozenset[str] = frozenset()
    """`hours`: takes that much simulated time."""
    version: Version = Version.IKEV2
    """Of IKE, that is spoken in it where the story does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that went well."""

    scenario: str
    seed: int
    elapsed: float
    """Simulated seconds."""
    steps: int
    datagrams: int
    lost: int
    digest: str
    """Equal for equal seeds, to the last octet."""


TABLE: dict[str, Scenario] = {}
"""By name. Filled by the modules of `isthmus.sim.scenarios`."""


BOTH = (Version.IKEV2, Version.IKEV1)
"""Of a story that is told in either version of IKE."""


def scenario(
    name: str,
    *,
    link: Link | None = None,
    tags: Iterable[str] = (),
    each: Iterable[str] = (),
    versions: Iterable[Version] = (Version.IKEV2,),
) -> Callable[[Story], Story]:
    """Puts a story in the table. `each` makes one row for each value, which the story takes as its second argument.

    Each of the `versions` has rows of its own; those of version 1 are named after it.
    """

    def register(story: Story) -> Story:
        text = inspect.cleandoc(story.__doc__ or "")
        rows: dict[str, Story] = {f"{name}-{value}": partial(_second, story, value) for value in each}
        for version, (row, tell) in product(versions, (rows or {name: story}).items()):
            full = f"{version}-{row}" if version is Version.IKEV1 else row
            if full in TABLE:
                raise ValueError(f"two scenarios are named {full}")
            TABLE[full] = Scenario(full, text, tell, link or Link(), frozenset(tags), version)
        return story

    return register


def tell(told: Scenario, seed: int, loss: float | None = None, *, remembered: int | None = REMEMBERED) -> Outcome:
    """One run. Raises `SimulationFailure`, which says all that is needed to see it again, with the last lines.

    `remembered` is how many; None: all.
    """
    link = told.link if loss is None else replace(told.link, loss=loss)
    world = World(seed, link, version=told.version, replay=replay_line(told.name, seed, loss), remembered=remembered)
    try:
        told.tell(world)
    except (Violation, GoalMissed) as cause:
        # From a call that the story itself made, outside of a step.
        raise world.failure(cause) from cause
    tally = world.network.tally
    return Outcome(told.name, seed, world.now, world.steps, tally.sent, tally.lost, world.transcript.digest)


def replay_line(name: str, seed: int, loss: float | None = None) -> str:
    """The command that tells the same story again."""
    return f"isthmus sim {name} --seed {seed}" + (f" --loss {loss:g}" if loss is not None else "")


def _second(story: Story, value: str, world: World) -> None:
    story(world, value)
