"""The attacker and its mutations."""

from __future__ import annotations

import random

import pytest

from isthmus.engine.outputs import SendDatagram
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Seconds
from isthmus.sim.tamper import MUTATIONS, Attacker, Flood, Mutation, as_it_was
from isthmus.wire.ikev2.payloads import Nonce
from isthmus.wire.registry import ExchangeType
from tests.sim.puppet import puppet, say, stage
from tests.sim.test_invariants import ike, sealed

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


def test_a_flood_repeats_the_first_request_from_everywhere_each_with_its_own_spi() -> None:
    world, east, west = stage()
    flood = Flood(world.network, world.agenda, world.stream("flood"), every=Seconds(0.01))
    asked = ike(Nonce(bytes(16)), exchange=ExchangeType.IKE_SA_INIT, responder_spi=bytes(8))
    say(east, SendDatagram(Endpoint(east.address, 500), Endpoint(west.address, 500), asked))
    world.run(limit=Seconds(1.0))
    flood.stop()
    heard = puppet(west).heard
    assert len({datagram.remote for datagram in heard}) > 90
    assert len({datagram.octets[:8] for datagram in heard}) > 90
    assert {datagram.octets[8:] for datagram in heard} == {asked[8:]}
