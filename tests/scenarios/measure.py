"""What the tables of this folder show, measured in simulated time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import median

from isthmus.engine import commands
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, Pair, carries, connected, pair, up
from isthmus.sim.network import Link
from isthmus.sim.plans import EAST, WEST, Party
from isthmus.sim.scenarios.crossing import child_of, peer_of
from isthmus.sim.world import World

LATENCIES = (0.005, 0.05, 0.2, 0.5)
LOSSES = (0.0, 0.05, 0.1, 0.2, 0.3)
SEEDS = range(1, 31)

OUTAGE_SEEDS = range(1, 4)
STEADY = Seconds(0.01)
"""Between two packets, where a silence is measured."""

PFS = ("aes-128-gcm/group31",)
Act = Callable[[Pair], None]


def _restart(ends: Pair) -> None:
    ends.east.kill()
    ends.east.boot()


ACTS: dict[str, tuple[Act, Party, Party]] = {
    "rekey child": (lambda ends: ends.east.command(commands.RekeyChild(child_of(ends.east))), EAST, WEST),
    "rekey child, pfs": (
        lambda ends: ends.east.command(commands.RekeyChild(child_of(ends.east))),
        replace(EAST, esp=PFS),
        replace(WEST, esp=PFS),
    ),
    "rekey ike": (lambda ends: ends.east.command(commands.RekeyIke(peer_of(ends.east))), EAST, WEST),
    "reauthenticate": (lambda ends: ends.east.command(commands.Reauthenticate(peer_of(ends.east))), EAST, WEST),
    "restart": (_restart, EAST, WEST),
}


def time_to_establish() -> str:
    """Median and worst seconds from power on to a tunnel that is up at both ends."""
    rows = [_row("loss \\ latency", *(f"{latency * 1000:g} ms" for latency in LATENCIES))]
    for loss in LOSSES:
        cells = []
        for latency in LATENCIES:
            times = [_establish(seed, Link(latency=(latency, latency * 1.2), loss=loss)) for seed in SEEDS]
            cells.append(f"{median(times):.2f} / {max(times):.2f}")
        rows.append(_row(f"{loss:.0%}", *cells))
    return "\n".join([f"Seconds to establish, median / worst of {len(SEEDS)} seeds", "", *rows, ""])


def outage() -> str:
    """The longest silence between two packets that arrive, and how many do not."""
    rows = [_row("", *(f"{latency * 1000:g} ms" for latency in LATENCIES))]
    for name, (act, east, west) in ACTS.items():
        cells = []
        for latency in LATENCIES:
            results = [_outage(seed, act, east, west, latency) for seed in OUTAGE_SEEDS]
            silence, lost = max(r[0] for r in results), max(r[1] for r in results)
            cells.append(f"{silence * 1000:.0f} ms / {lost}")
        rows.append(_row(name, *cells))
    title = (
        f"Longest silence and packets lost, one every {STEADY * 1000:g} ms each way, worst of {len(OUTAGE_SEEDS)} seeds"
    )
    return "\n".join([title, "", *rows, ""])


def _establish(seed: int, link: Link) -> float:
    world = World(seed, link)
    ends = pair(world)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    return world.now


def _outage(seed: int, act: Act, east: Party, west: Party, latency: float) -> tuple[float, int]:
    world = World(seed, Link(latency=(latency, latency * 1.2)))
    ends = connected(world, east, west, STEADY)
    flows = (ends.there, ends.back)
    ends.forget_losses()
    world.run(limit=Seconds(2.0))
    for flow in flows:
        flow.outage = Seconds(0.0)  # what was under way when the counting began is no silence
    act(ends)
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
    world.run(limit=Seconds(8.0))
    ends.stop_traffic()
    world.run(limit=Seconds(2.0))
    return max(flow.outage for flow in flows), sum(flow.missing for flow in flows)


def _row(name: str, *cells: str) -> str:
    return " | ".join([f"{name:<18}", *(f"{cell:>16}" for cell in cells)])
