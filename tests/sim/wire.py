"""A network with one listener at each end."""

from __future__ import annotations

import random
from ipaddress import ip_address

from isthmus.model.address import Endpoint
from isthmus.model.quantities import Instant
from isthmus.sim.agenda import Agenda
from isthmus.sim.network import Frame, Link, Network
from isthmus.sim.transcript import Transcript

EAST, WEST = Endpoint(ip_address("192.0.2.1"), 500), Endpoint(ip_address("198.51.100.2"), 500)
STILL = Link(latency=(0.01, 0.01))


class Wire:
    def __init__(self, link: Link = STILL, seed: int = 1) -> None:
        self.agenda = Agenda()
        self.network = Network(self.agenda, random.Random(seed), Transcript(), link)
        self.at_west: list[tuple[float, bytes]] = []
        self.at_east: list[tuple[float, bytes]] = []
        self.network.attach(EAST.address, lambda frame: self.at_east.append((self.agenda.now, _octets(frame))))
        self.network.attach(WEST.address, lambda frame: self.at_west.append((self.agenda.now, _octets(frame))))

    def send(self, *bodies: bytes) -> None:
        for body in bodies:
            self.network.send(Frame(EAST, WEST, body))

    def answer(self, body: bytes) -> None:
        self.network.send(Frame(WEST, EAST, body))

    def pass_time(self, seconds: float = 60.0) -> None:
        end = self.agenda.now + seconds
        while self.agenda.due is not None and self.agenda.due <= end:
            self.agenda.take()()
        self.agenda.advance(Instant(end))

    @property
    def arrived(self) -> list[bytes]:
        return [octets for _, octets in self.at_west]


def _octets(frame: Frame) -> bytes:
    assert isinstance(frame.body, bytes)
    return frame.body


def numbered(count: int) -> list[bytes]:
    return [n.to_bytes(2) for n in range(count)]
