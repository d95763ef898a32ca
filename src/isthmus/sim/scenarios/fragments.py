"""IKE messages that are too large for the path, or lose a piece of themselves on it. RFC 7383."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from isthmus.events.message import CutSmaller, Retransmitted
from isthmus.model.plan import Fragmentation
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import connected, promise_one_pair
from isthmus.sim.middle import Lose, Predicate, message
from isthmus.sim.network import Frame, Link
from isthmus.sim.plans import EAST, WEST, Party
from isthmus.sim.scenario import scenario
from isthmus.sim.world import World
from isthmus.wire import udp
from isthmus.wire.ikev2.message import decode
from isthmus.wire.ikev2.payloads import EncryptedFragment
from isthmus.wire.registry import ExchangeType

NARROW = 600
"""The MTU of a bad path: smaller than what is sent unasked, larger than what arrives everywhere."""


@scenario("fragments-lost", each=("request-1", "request-2", "response-1", "response-2"))
def piece_lost(world: World, which: str) -> None:
    """One fragment of IKE_AUTH is lost: the request is repeated, and the response with it."""
    side, number = which.split("-")
    lost = Lose(world.network, _fragment(int(number), response=side == "response"))
    ends = connected(world, *_talkative(size=576))
    world.check("a fragment was lost", lost.acted == 1)
    world.check("one repetition was enough", len(ends.east.told(Retransmitted)) == 1)
    world.check("nothing was cut anew", not ends.east.told(CutSmaller) and not ends.west.told(CutSmaller))
    promise_one_pair(world, *ends.both)


@scenario("fragments-narrow-path", each=("there", "back", "both", "under-loss"))
def narrow_path(world: World, where: str) -> None:
    """The path swallows packets that others carry: what is not answered is sent again in smaller pieces."""
    east, west = _talkative(size=1280)
    narrow = Link(mtu=NARROW, loss=0.15 if where == "under-loss" else 0.0)
    ways = {"there": (east, west), "back": (west, east)}
    for source, destination in [ways[where]] if where in ways else ways.values():
        world.network.links[ip_address(source.address), ip_address(destination.address)] = narrow
    ends = connected(world, east, west)
    world.check("the middle swallowed something", world.network.tally.too_big > 0)
    world.check("it was cut smaller", any(site.told(CutSmaller) for site in ends.both))
    promise_one_pair(world, *ends.both)


@scenario("fragments-shuffled", link=Link(reorder=0.4, duplicate=0.4, reorder_by=Seconds(2.0)))
def shuffled(world: World) -> None:
    """Fragments overtake each other and come twice, those of repetitions too; the path is narrow besides."""
    world.network.link = replace(world.network.link, mtu=NARROW)
    ends = connected(world, *_talkative(size=1280))
    promise_one_pair(world, *ends.both)


def _talkative(size: int) -> tuple[Party, Party]:
    """Two parties whose identities alone need several fragments."""
    long = ".".join(["a-long-label-of-a-long-name"] * 40)
    names = f"{long}.east.example", f"{long}.west.example"
    east = replace(EAST, identity=names[0], looks_for=names[1], fragmentation=Fragmentation(size=size))
    return east, replace(WEST, identity=names[1], looks_for=names[0], fragmentation=Fragmentation(size=size))


def _fragment(number: int, *, response: bool) -> Predicate:
    of_auth = message(ExchangeType.IKE_AUTH, response=response)

    def holds(frame: Frame) -> bool:
        if not of_auth(frame) or not isinstance(frame.body, bytes):
            return False
        last = decode(frame.body.removeprefix(udp.NON_ESP_MARKER)).payloads[-1]
        return isinstance(last, EncryptedFragment) and last.number == number

    return holds
