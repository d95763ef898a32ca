"""Both ends want something at the same instant: every pair of wishes, both ways round, in several kinds of weather.

RFC 7296, 2.8 (simultaneous rekeying) and 2.25 (exchange collisions). However the messages cross: nothing hangs,
the tunnel carries traffic again, and exactly one Child SA on one IKE SA is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product

from isthmus.engine import commands
from isthmus.engine.commands import Command
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import Pair, carries, connected, promise_one_pair
from isthmus.sim.middle import Delay, Lose
from isthmus.sim.network import Frame, Link
from isthmus.sim.reading import header_of
from isthmus.sim.scenario import BOTH, scenario
from isthmus.sim.site import Site
from isthmus.sim.world import World
from isthmus.wire.ikev1.header import MAJOR_VERSION
from isthmus.wire.registry import ExchangeType, ExchangeTypeV1

LATE = Seconds(0.3)
"""Longer than any link here takes, shorter than the first repetition."""

VERY_LATE = Seconds(4.0)
"""Overtaken by a repetition."""

AFTERMATH = Seconds(15.0)
"""Longer than repetitions, twins that leave and SAs that serve late packets."""

HEALED = Seconds(600.0)

Wish = Callable[[Site], Command]

DELETES: dict[str, Wish] = {
    "delete-child": lambda site: commands.TerminateChild(child_of(site)),
    "delete-ike": lambda site: commands.TerminateIke(peer_of(site)),
}

WISHES: dict[str, Wish] = {
    **DELETES,
    "rekey-child": lambda site: commands.RekeyChild(child_of(site)),
    "rekey-ike": lambda site: commands.RekeyIke(peer_of(site)),
    "reauthenticate": lambda site: commands.Reauthenticate(peer_of(site)),
}

WEATHER: dict[str, Callable[[Pair], object]] = {
    "clean": lambda ends: None,
    "late-request": lambda ends: Delay(ends.world.network, _said(ends.east, response=False), LATE),
    "very-late-request": lambda ends: Delay(ends.world.network, _said(ends.east, response=False), VERY_LATE),
    "late-response": lambda ends: Delay(ends.world.network, _said(ends.west, response=True), LATE),
    "very-late-response": lambda ends: Delay(ends.world.network, _said(ends.west, response=True), VERY_LATE),
    "lost-request": lambda ends: Lose(ends.world.network, _said(ends.east, response=False)),
    "lost-response": lambda ends: Lose(ends.world.network, _said(ends.west, response=True)),
    "lost-second-request": lambda ends: Lose(ends.world.network, _said(ends.east, response=False), skip=1),
}


def child_of(site: Site) -> str:
    """The first configured child."""
    return next(child.name for tunnel in site.plan.tunnels.values() for child in tunnel.children)


def peer_of(site: Site) -> str:
    """The first configured peer."""
    return next(iter(site.plan.peers))


def _rows(here: Iterable[str], there: Iterable[str]) -> list[str]:
    return [" ".join(row) for row in product(here, there, WEATHER)]


def _name(rows: Iterable[str]) -> dict[str, str]:
    return {row.replace(" ", "-"): row for row in rows}


ONLY_DELETES = _name(_rows(DELETES, DELETES))
WITH_REKEYS = {name: row for name, row in _name(_rows(WISHES, WISHES)).items() if name not in ONLY_DELETES}


@scenario("cross", versions=BOTH, each=ONLY_DELETES)
def deletes(world: World, name: str) -> None:
    """Both ends delete at the same instant."""
    _cross(world, ONLY_DELETES[name])


@scenario("cross", versions=BOTH, each=WITH_REKEYS)
def rekeys(world: World, name: str) -> None:
    """East and west each renew or delete something at the same instant."""
    _cross(world, WITH_REKEYS[name])


@scenario("cross-under-loss", versions=BOTH, link=Link(loss=0.25), each=("deletes",))
def deletes_under_loss(world: World, _: str) -> None:
    """Both ends delete, again and again, while a quarter of all datagrams vanishes."""
    _storm(world, tuple(DELETES.values()))


@scenario("cross-under-loss", versions=BOTH, link=Link(loss=0.25), each=("everything",))
def everything_under_loss(world: World, _: str) -> None:
    """Both ends wish at random for a quarter of an hour while a quarter of all datagrams vanishes."""
    _storm(world, tuple(WISHES.values()))


def _cross(world: World, row: str) -> None:
    here, there, weather = row.split(" ")
    ends = connected(world)
    promise_one_pair(world, *ends.both)
    WEATHER[weather](ends)
    ends.east.command(WISHES[here](ends.east))
    ends.west.command(WISHES[there](ends.west))
    world.run(limit=AFTERMATH)
    world.run(until=carries(ends), limit=HEALED)
    promise_one_pair(world, *ends.both)


def _storm(world: World, wishes: tuple[Wish, ...]) -> None:
    ends = connected(world)
    rng = world.stream("wishes")
    for _ in range(40):
        site = rng.choice(ends.both)
        site.command(rng.choice(wishes)(site))
        world.run(limit=Seconds(rng.choice((0.0, 0.01, 0.1, 1.0, 30.0))))
    world.run(limit=Seconds(60.0))
    world.run(until=carries(ends), limit=HEALED)
    world.run(limit=Seconds(60.0))
    promise_one_pair(world, *ends.both)


def _said(site: Site, *, response: bool) -> Callable[[Frame], bool]:
    """What one end says within the IKE SA; in version 1 all of it, as nobody there requests or responds."""

    def picks(frame: Frame) -> bool:
        header = header_of(frame)
        if header is None or frame.source.address != site.address:
            return False
        if header.major == MAJOR_VERSION:
            return int(header.exchange) in (ExchangeTypeV1.QUICK_MODE, ExchangeTypeV1.INFORMATIONAL)
        return header.response is response and header.exchange in (
            ExchangeType.CREATE_CHILD_SA,
            ExchangeType.INFORMATIONAL,
        )

    return picks
