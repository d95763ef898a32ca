"""A response in many pieces over a bad network: as long as pieces come, the peer is not silent."""

from __future__ import annotations

from dataclasses import replace

from isthmus.events.ike import IkeEstablished, PeerSilent
from isthmus.events.message import CutSmaller
from isthmus.model.plan import Fragmentation
from isthmus.sim.plans import EAST, WEST
from tests.engine.table import carry, two

PIECES = Fragmentation(size=576)
LONG = ".".join(["a-long-label-of-a-long-name"] * 300) + ".example"


def test_each_new_piece_is_a_sign_of_life_and_has_the_rest_asked_for_soon() -> None:
    east, west = two(
        replace(EAST, looks_for=LONG, fragmentation=PIECES), replace(WEST, identity=LONG, fragmentation=PIECES)
    )
    carry(east.take(), west)
    carry(west.take(), east)
    carry(east.take(), west)
    response = west.take()
    assert len(response) > 12
    for piece in response[:-1]:
        carry([piece], east)
        east.wait(0.6)
        assert east.take()  # asked for again
    assert not east.told(PeerSilent)
    assert not east.told(CutSmaller)  # the request arrived, or there would be no pieces
    carry(response[-1:], east)
    assert east.told(IkeEstablished)


def test_a_piece_that_came_before_is_none() -> None:
    east, west = two(
        replace(EAST, looks_for=LONG, fragmentation=PIECES), replace(WEST, identity=LONG, fragmentation=PIECES)
    )
    carry(east.take(), west)
    carry(west.take(), east)
    carry(east.take(), west)
    first, *_ = west.take()
    for _ in range(40):
        carry([first], east)
        east.wait(5.0)
    assert east.told(PeerSilent)
