"""A gateway on a table: what is put in by hand, and what comes out."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeVar

from isthmus.engine.commands import Command
from isthmus.engine.gateway import Gateway
from isthmus.engine.outputs import Output, SendDatagram
from isthmus.engine.surroundings import Surroundings
from isthmus.events.event import Event
from isthmus.model.address import Datagram, Endpoint
from isthmus.model.plan import Plan
from isthmus.model.quantities import Instant
from isthmus.sim.plans import EAST, WEST, Party, plan_of

O = TypeVar("O")  # noqa: E741


class Dice:
    """Entropy that a test can repeat."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = random.Random(seed)

    def octets(self, count: int) -> bytes:
        return self._rng.randbytes(count)


@dataclass
class Seat:
    """One gateway, its clock, and everything that it ever said."""

    gateway: Gateway
    now: float = 0.0
    said: list[Output] = field(default_factory=list)
    sent: list[SendDatagram] = field(default_factory=list)
    """Datagrams that nobody has carried yet."""

    def receive(self, octets: bytes, remote: Endpoint, local: Endpoint) -> None:
        self.gateway.receive(Datagram(local, remote, octets), Instant(self.now))
        self._drain()

    def command(self, command: Command) -> None:
        self.gateway.command(command, Instant(self.now))
        self._drain()

    def wait(self, seconds: float) -> None:
        """Lets time pass, with every timer handled when it is due."""
        end = self.now + seconds
        while (due := self.gateway.next_timer()) is not None and due <= end:
            self.now = max(due, self.now)
            self.gateway.handle_timer(Instant(self.now))
            self._drain()
        self.now = end

    def take(self) -> list[SendDatagram]:
        """The datagrams that wait to be carried."""
        taken, self.sent = self.sent, []
        return taken

    def told(self, kind: type[O]) -> list[O]:
        return [output for output in self.said if isinstance(output, kind)]

    def _drain(self) -> None:
        while (output := self.gateway.poll()) is not None:
            self.said.append(output)
            if isinstance(output, SendDatagram):
                self.sent.append(output)


def seat(plan: Plan, seed: int = 1) -> Seat:
    """A gateway that has begun."""
    made = Seat(Gateway(plan, Surroundings(Dice(seed))))
    made.wait(0.0)
    return made


def two(east: Party = EAST, west: Party = WEST) -> tuple[Seat, Seat]:
    """Two gateways; the first has sent its IKE_SA_INIT request."""
    return seat(plan_of(east, west), 1), seat(plan_of(west, east), 2)


def carry(datagrams: Iterable[SendDatagram], to: Seat) -> None:
    for datagram in datagrams:
        to.receive(datagram.octets, datagram.local, datagram.remote)


def converse(one: Seat, other: Seat, until: Callable[[], bool] = lambda: False) -> None:
    """Carries datagrams to and fro until nothing is said any more, or the goal is reached between two of them."""
    while (one.sent or other.sent) and not until():
        carry(one.take(), other)
        if until():
            return
        carry(other.take(), one)


def connected(east: Party = EAST, west: Party = WEST) -> tuple[Seat, Seat]:
    """Two gateways with a tunnel."""
    one, other = two(east, west)
    converse(one, other)
    return one, other


def events(seat: Seat) -> list[Event]:
    return seat.told(Event)


HERE = Endpoint(ip_address(WEST.address), 500)
THERE = Endpoint(ip_address(EAST.address), 500)
