"""What the gateway does with bugs of its own."""

from __future__ import annotations

import pytest

from isthmus.engine.child_sa import ChildSa
from isthmus.engine.ikev2 import established
from isthmus.events.ike import EngineFault, IkeStarted, RetryScheduled
from isthmus.sim.plans import EAST, WEST
from tests.engine.table import converse, two


def broken_at_the_initiator(child: ChildSa) -> None:
    if child.terms.began_here:
        raise ZeroDivisionError


def test_a_bug_ends_one_ike_sa_and_the_next_attempt_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    east, west = two(EAST, WEST)
    monkeypatch.setattr(established, "install", broken_at_the_initiator)
    converse(east, west)
    (fault,) = east.told(EngineFault)
    assert fault.error == "ZeroDivisionError"
    assert fault.trace
    assert fault.peer == "west"
    assert len(east.told(IkeStarted)) == 1
    assert east.told(RetryScheduled)
    assert all(ike.state != "established" for ike in east.gateway.ike_sas())


def test_after_a_bug_it_tries_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    east, west = two(EAST, WEST)
    with monkeypatch.context() as once:
        once.setattr(established, "install", broken_at_the_initiator)
        converse(east, west)
    east.wait(3.0)
    west.now = east.now
    converse(east, west)
    assert [tunnel.state for tunnel in east.gateway.tunnels()] == ["up"]
