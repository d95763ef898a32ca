"""The attacker and its mutations."""

from __future__ import annotations

import random

import pytest

from isthmus.engine.outputs import SendDatagram
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Seconds
from isthmus.sim.tamper import MUTATIONS, Attacker, Mutation, as_it_was
from tests.sim.puppet import puppet, say, stage
from tests.sim.test_invariants import sealed

MESSAGE = sealed()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mutation_changes_something_and_takes_whatever_it_is_given(mutation: Mutation) -> None:
    rng = random.Random(1)
    changed = {mutation(MESSAGE, rng) for _ in range(20)}
    assert mutation is as_it_was or changed != {MESSAGE}
    for length in range(0, len(MESSAGE), 7):
        mutation(MESSAGE[:length], rng)


def test_an_attacker_sends_spoilt_copies_to_both_ends_until_it_is_stopped() -> None:
    world, east, west = stage()
    attacker = Attacker(world.network, world.agenda, world.stream("attacker"))
    say(east, SendDatagram(Endpoint(east.address, 4500), Endpoint(west.address, 4500), MESSAGE))
    attacker.start()
    world.run(limit=Seconds(10.0))
    attacker.stop()
    sent = attacker.sent
    world.run(limit=Seconds(10.0))
    assert attacker.sent == sent > 900
    assert len(puppet(east).heard) > 50
    assert len({datagram.octets for datagram in puppet(west).heard}) > 50
