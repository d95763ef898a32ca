"""Many tunnels on one gateway in the simulated network: `python -m bench.simulated_scale [--tunnels 1000] [--seed 1]`.

Each peer is a gateway of its own. All call at once; then there is peace, with rekeys; then two minutes of silence; then
the one that is called loses its memory; then all say goodbye. The story is told with a tenth of the tunnels first, to
show what grows with their number. Times on the wire are virtual; processor time is that of the hub's engine alone.
`--output FOLDER` writes JSON beside the table.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.hub import LINK, OUTAGE, Hub
from bench.process import kernel
from isthmus.model.quantities import Seconds

_REKEYS = 3
"""Of each tunnel in the time of peace: its child twice, its IKE SA once."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement, with a tenth of the tunnels and with all of them."""

    what: str
    unit: str
    few: float
    many: float

    @property
    def ratio(self) -> float:
        """About 1 where nothing grows with the number of tunnels."""
        return self.many / self.few if self.few else float("nan")


def measure(tunnels: int, seed: int, minutes: float) -> tuple[tuple[int, int], list[Figure]]:
    """How many there were, and what was found. Raises `SimulationFailure` where the story does not go well."""
    counts = max(tunnels // 10, 1), tunnels
    told = []
    for count in counts:
        hub = Hub(count, seed, Seconds(60 * minutes))
        hub.live()
        told.append(list(_figures(hub)))
    figures = [Figure(what, unit, few, many) for (what, unit, few), (_, _, many) in zip(*told, strict=True)]
    return counts, figures


def _figures(hub: Hub) -> Iterator[tuple[str, str, float]]:
    each, phases = 1 / hub.tunnels, hub.phases
    set_up, rest, rekeys, deletes = (phases[name] for name in ("set-up", "rest", "rekeys", "deletes"))
    yield "all call at once: until the last tunnel is up", "s", set_up.took
    yield "CPU of a set-up", "ms", 1000 * each * set_up.meter.seconds
    yield "steps of a set-up", "calls", each * set_up.meter.all_steps
    yield "packets of a set-up", "", each * set_up.sent
    yield "memory of a tunnel", "KB", hub.memory("set-up") / 1000
    hourly = 3600 / rest.spent * each
    yield "CPU of a tunnel at rest in an hour", "ms", 1000 * hourly * rest.meter.seconds
    yield "packets of a tunnel at rest in an hour", "", hourly * rest.sent
    yield "steps of a message received at rest", "calls", rest.meter.steps_of("receive")
    yield "steps of a timer at rest", "calls", rest.meter.steps_of("handle_timer")
    renewal = rekeys.meter.seconds - rest.meter.seconds * rekeys.spent / rest.spent
    yield "CPU of a rekey", "ms", 1000 * each * renewal / _REKEYS
    for cut, name in (("silence", "after the silence"), ("hub away", "after the restart")):
        recovery = phases[name]
        yield f"{name}: until the last tunnel carries", "s", recovery.took
        yield f"{name}: until all is at rest", "s", recovery.settled
        yield f"{name}: CPU of a tunnel in a minute", "ms", 1000 * each * recovery.meter.seconds
        yield f"{cut} and a minute: packets of a tunnel", "", each * (phases[cut].sent + recovery.sent)
        yield f"{cut} and a minute: most in one second", "", each * max(phases[cut].busiest, recovery.busiest)
    yield "all say goodbye: until the last tunnel is gone", "s", deletes.took
    yield "memory of a tunnel that is gone", "KB", hub.memory("oblivion") / 1000


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.simulated_scale", description=__doc__)
    parser.add_argument("--tunnels", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=20.0, help="of peace, in virtual time; 60 takes half an hour")
    parser.add_argument("--output", type=Path, help="folder for the JSON")
    asked = parser.parse_args()
    counts, figures = measure(asked.tunnels, asked.seed, asked.minutes)
    if asked.output is not None:
        asked.output.mkdir(parents=True, exist_ok=True)
        told = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"one of {os.cpu_count()} cores; Linux {kernel()}",
            "seed": asked.seed,
            "minutes": asked.minutes,
            "latency": LINK.latency,
            "silence": OUTAGE,
            "tunnels": counts,
            "figures": [asdict(figure) for figure in figures],
        }
        (asked.output / "simulated-scale.json").write_text(json.dumps(told, indent=1) + "\n")
    print(f"{'tunnels':52}{counts[0]:>12}{counts[1]:>12}{'ratio':>8}")
    for figure in figures:
        what = ", ".join(filter(None, (figure.what, figure.unit)))
        print(f"{what:52}{figure.few:12.2f}{figure.many:12.2f}{figure.ratio:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
