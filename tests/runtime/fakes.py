"""An engine, a data plane, a carrier and a clock that do as the test says and remember what was asked."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from isthmus.dataplane.backend import DataPlaneRefusal, Notice
from isthmus.engine.commands import Command
from isthmus.engine.outputs import Output, SendDatagram, SendKeepAlive
from isthmus.model.address import Address, Datagram, Endpoint
from isthmus.model.quantities import InboundSpi, Instant
from isthmus.model.sa_spec import DataPlaneOp, SaCounters, SaId


class FakeEngine:
    """Puts out what `reacts` returns for each thing that it is told."""

    def __init__(self, reacts: Callable[[object], Iterable[Output]] = lambda _: ()) -> None:
        self.reacts = reacts
        self.heard: list[object] = []
        self.timer: Instant | None = None
        self._outputs: deque[Output] = deque()

    def receive(self, datagram: Datagram, now: Instant) -> None:
        self._take(datagram)

    def command(self, command: Command, now: Instant) -> None:
        self._take(command)

    def handle_timer(self, now: Instant) -> None:
        self._take(now)

    def next_timer(self) -> Instant | None:
        return self.timer

    def poll(self) -> Output | None:
        return self._outputs.popleft() if self._outputs else None

    def _take(self, thing: object) -> None:
        self.heard.append(thing)
        self._outputs.extend(self.reacts(thing))


@dataclass
class FakeDataPlane:
    """Refuses what `refused` names, by operation, interface or address."""

    refused: dict[object, str] = field(default_factory=dict)
    log: list[object] = field(default_factory=list)
    to_notice: list[Notice] = field(default_factory=list)
    alive: list[InboundSpi] = field(default_factory=list)

    def apply(self, op: DataPlaneOp) -> None:
        self.refuse(type(op))
        self.log.append(op)

    def counters(self, sa: SaId) -> SaCounters:
        return SaCounters()

    def notices(self) -> Iterable[Notice]:
        taken, self.to_notice = self.to_notice, []
        return taken

    def heard(self) -> Iterable[InboundSpi]:
        taken, self.alive = self.alive, []
        return taken

    def drops(self) -> dict[str, int]:
        return {}

    def refuse(self, what: object) -> None:
        if what in self.refused:
            raise DataPlaneRefusal(self.refused[what])


@dataclass
class FakePlane(FakeDataPlane):
    """The same with interfaces, and with the port that it shares with IKE."""

    to_deliver: list[Datagram] = field(default_factory=list)
    interfaces: set[str] = field(default_factory=set)
    listening: set[Address] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._reader, self._writer = os.pipe()

    def add_interface(self, name: str) -> None:
        self.refuse(name)
        self.interfaces.add(name)

    def remove_interface(self, name: str) -> None:
        self.interfaces.discard(name)

    def listen(self, address: Address, device: str | None = None) -> None:
        self.refuse(address)
        self.listening.add(address)

    def unlisten(self, address: Address) -> None:
        self.listening.discard(address)

    def fileno(self) -> int:
        return self._reader

    def ike_datagrams(self) -> Iterable[Datagram]:
        taken, self.to_deliver = self.to_deliver, []
        return taken

    def send_ike(self, local: Endpoint, remote: Endpoint, octets: bytes) -> None:
        self.refuse(local)
        self.log.append((local, remote, octets))

    def send_keep_alive(self, local: Endpoint, remote: Endpoint) -> None:
        self.log.append((local, remote))

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


@dataclass
class FakeCarrier:
    sent: list[SendDatagram | SendKeepAlive] = field(default_factory=list)

    def send(self, order: SendDatagram) -> None:
        self.sent.append(order)

    def send_keep_alive(self, order: SendKeepAlive) -> None:
        self.sent.append(order)


@dataclass
class FakeTimer:
    due: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    """Time that passes only when told to, and the timers that it rings."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now
        self.timers: list[FakeTimer] = []

    def __call__(self) -> Instant:
        return Instant(self._now)

    def call_later(self, wait: float, call: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self._now + wait, call)
        self.timers.append(timer)
        return timer

    @property
    def pending(self) -> list[FakeTimer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def pass_time(self, seconds: float) -> None:
        self._now += seconds
        for timer in [timer for timer in self.pending if timer.due <= self._now]:
            timer.cancelled = True
            timer.call()
