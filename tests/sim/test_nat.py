"""The NAPT box."""

from __future__ import annotations

import random
from ipaddress import ip_address

from isthmus.dataplane.memory import EspPacket
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Instant, Seconds
from isthmus.sim.agenda import Agenda
from isthmus.sim.nat import Nat
from isthmus.sim.network import Frame, Link, Network
from isthmus.sim.plans import EAST, packet_for
from isthmus.sim.transcript import Transcript

INSIDE = Endpoint(ip_address("172.16.0.5"), 500)
OUTSIDE = Endpoint(ip_address("198.51.100.2"), 500)
PUBLIC = ip_address("203.0.113.9")


class Place:
    """One host inside, one outside, and the box between them."""

    def __init__(self) -> None:
        self.agenda = Agenda()
        rng = random.Random(1)
        self.network = Network(self.agenda, rng, Transcript(), Link())
        self.nat = Nat(self.network, self.agenda, rng, PUBLIC, timeout=Seconds(30.0))
        self.inside: list[Frame] = []
        self.outside: list[Frame] = []
        self.nat.attach(INSIDE.address, self.inside.append)
        self.network.attach(OUTSIDE.address, self.outside.append)

    def deliver(self) -> None:
        while self.agenda.due is not None:
            self.agenda.take()()

    def ask(self, source: Endpoint = INSIDE) -> Endpoint:
        """Sends from the inside; returns what the outside sees as source."""
        self.nat.send(Frame(source, OUTSIDE, b"ask"))
        self.deliver()
        return self.outside[-1].source

    def answer(self, to: Endpoint, source: Endpoint = OUTSIDE) -> None:
        self.network.send(Frame(source, to, b"answer"))
        self.deliver()

    def wait(self, seconds: float) -> None:
        self.agenda.advance(Instant(self.agenda.now + seconds))


def test_the_outside_sees_the_public_address_and_another_port() -> None:
    place = Place()
    seen = place.ask()
    assert seen.address == PUBLIC
    assert seen.port != INSIDE.port


def test_an_answer_finds_its_way_back() -> None:
    place = Place()
    place.answer(place.ask())
    assert [(frame.source, frame.destination) for frame in place.inside] == [(OUTSIDE, INSIDE)]


def test_two_ports_of_one_host_have_two_mappings_that_stay() -> None:
    place = Place()
    first, second = place.ask(), place.ask(INSIDE.with_port(4500))
    assert first != second
    assert (place.ask(), place.ask(INSIDE.with_port(4500))) == (first, second)


def test_a_stranger_is_not_let_in() -> None:
    place = Place()
    seen = place.ask()
    place.answer(seen, source=Endpoint(ip_address("198.51.100.3"), 500))
    place.answer(seen, source=OUTSIDE.with_port(501))
    place.answer(seen.with_port(seen.port ^ 1))
    assert place.inside == []
    assert place.nat.dropped == 3


def test_a_mapping_ages_and_traffic_from_inside_keeps_it_young() -> None:
    place = Place()
    seen = place.ask()
    for _ in range(5):
        place.wait(20.0)
        assert place.ask() == seen
    place.wait(31.0)
    place.answer(seen)
    assert place.inside == []
    assert place.nat.mappings == {}
    assert place.ask() != seen


def test_a_flushed_box_knows_nobody() -> None:
    place = Place()
    seen = place.ask()
    place.nat.flush()
    place.answer(seen)
    assert place.inside == []


def test_plain_esp_has_no_ports_and_does_not_pass() -> None:
    place = Place()
    esp = EspPacket(0x1000, 1, packet_for(EAST.proxy_ids[0]), bytes(16))
    place.nat.send(Frame(INSIDE.with_port(0), OUTSIDE.with_port(0), esp, udp=False))
    place.deliver()
    assert place.outside == []
