"""Turns datagrams, commands, timers and notices into calls of the engine, and its outputs into actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar, assert_never

from isthmus.dataplane import backend
from isthmus.dataplane.backend import DataPlaneRefusal, Notice
from isthmus.engine import commands
from isthmus.engine.commands import Command
from isthmus.engine.outputs import Output, Program, Resolve, SendDatagram, SendKeepAlive
from isthmus.events.event import Event
from isthmus.events.runtime import DataPlaneRefused
from isthmus.model.address import Datagram
from isthmus.model.quantities import Instant
from isthmus.runtime.faults import fault
from isthmus.runtime.plane import Plane

T = TypeVar("T")

SHORTEST_WAIT = 0.001
"""Seconds. A timer that is always due, which would be a bug, then costs some of the processor and not all of it."""
AFTER_A_FAULT = 1.0
"""Seconds until the engine's timer is looked at again when looking at it failed."""


class Engine(Protocol):
    """The five methods of `engine.gateway.Gateway`."""

    def receive(self, datagram: Datagram, now: Instant) -> None: ...

    def command(self, command: Command, now: Instant) -> None: ...

    def handle_timer(self, now: Instant) -> None: ...

    def next_timer(self) -> Instant | None: ...

    def poll(self) -> Output | None: ...


class Carrier(Protocol):
    """Sends datagrams; never raises for what the network does."""

    def send(self, order: SendDatagram) -> None: ...

    def send_keep_alive(self, order: SendKeepAlive) -> None: ...


class Timer(Protocol):
    def cancel(self) -> None: ...


class Driver:
    """Owns no socket and no loop: it is given what sends, what looks up, what tells the time and what wakes it."""

    def __init__(
        self,
        engine: Engine,
        plane: Plane,
        carrier: Carrier,
        *,
        look_up: Callable[[str, str], None],
        record: Callable[[Event], None],
        clock: Callable[[], Instant],
        call_later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self._engine: Final = engine
        self._plane: Final = plane
        self._carrier: Final = carrier
        self._look_up: Final = look_up
        self._record: Final = record
        self._clock: Final = clock
        self._call_later: Final = call_later
        self._timer: Timer | None = None
        self._due: Instant | None = None
        self._draining = False
        self._closed = False

    def receive(self, datagram: Datagram) -> None:
        """One IKE message from the network."""
        try:
            self._engine.receive(datagram, self._clock())
        except Exception as error:
            self._tell("receiving a datagram", error)
        self._carry_out()

    def command(self, command: Command) -> None:
        """One command; when this returns, what follows from it at once has been done."""
        try:
            self._engine.command(command, self._clock())
        except Exception as error:
            self._tell(f"carrying out {type(command).__name__}", error)
        self._carry_out()

    def wake(self) -> None:
        """The engine's timer is due, or might be."""
        self._timer = self._due = None
        try:
            self._engine.handle_timer(self._clock())
        except Exception as error:
            self._tell("handling a timer", error)
        self._carry_out()

    def harvest(self) -> bool:
        """Collects what the data plane noticed, and the IKE messages of its port. False: it failed to tell."""
        notices = self._collect("collecting notices", self._plane.notices)
        for notice in notices or ():
            self.command(as_command(notice))
        datagrams = self._collect("collecting IKE datagrams", self._plane.ike_datagrams)
        for datagram in datagrams or ():
            self.receive(datagram)
        return notices is not None and datagrams is not None

    def listen_for_life(self) -> None:
        """Tells the engine which inbound SAs were in use since the last call."""
        if spis := self._collect("asking which SAs live", self._plane.heard):
            self.command(commands.Heard(spis))

    def close(self) -> None:
        """No timer wakes the engine any more."""
        self._closed = True
        if self._timer:
            self._timer.cancel()

    def _carry_out(self) -> None:
        """What the engine wants done. A bug in one thing becomes an event; what comes after it takes place."""
        # An observer of an event may give a command: then the loop below is already at work, and goes on with it.
        if self._draining:
            return
        self._draining = True
        try:
            while (output := self._poll()) is not None:
                try:
                    self._execute(output)
                except Exception as error:
                    self._tell(f"carrying out {type(output).__name__}", error)
        finally:
            self._draining = False
        try:
            self._arm()
        except Exception as error:
            self._tell("setting the timer", error)

    def _poll(self) -> Output | None:
        try:
            return self._engine.poll()
        except Exception as error:
            self._tell("asking the engine for output", error)
            return None

    def _execute(self, output: Output) -> None:
        match output:
            case Event():
                self._record(output)
            case SendDatagram():
                self._carrier.send(output)
            case SendKeepAlive():
                self._carrier.send_keep_alive(output)
            case Program():
                self._program(output)
            case Resolve():
                self._look_up(output.peer, output.name)
            case _:
                assert_never(output)

    def _program(self, order: Program) -> None:
        try:
            self._plane.apply(order.op)
        except Exception as error:
            # Whatever went wrong, the SA is not there: the engine has to know, a bug of ours or not.
            why = error.why if isinstance(error, DataPlaneRefusal) else type(error).__name__
            operation = type(order.op).__name__
            self._record(DataPlaneRefused(at=self._clock(), operation=operation, why=why))
            self.command(commands.ProgramFailed(order.ticket, why))
            if not isinstance(error, DataPlaneRefusal):
                raise

    def _arm(self) -> None:
        """One timer, for the engine's next deadline."""
        try:
            due = self._engine.next_timer()
        except Exception:
            self._set(AFTER_A_FAULT)
            raise
        if due == self._due and self._timer:
            return
        self._set(None if due is None else max(due - self._clock(), SHORTEST_WAIT))
        self._due = due

    def _set(self, wait: float | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._due = None
        self._timer = None if wait is None or self._closed else self._call_later(wait, self.wake)

    def _collect(self, doing: str, source: Callable[[], Iterable[T]]) -> tuple[T, ...] | None:
        try:
            return tuple(source())
        except Exception as error:
            self._tell(doing, error)
            return None

    def _tell(self, doing: str, error: Exception) -> None:
        self._record(fault(doing, error, self._clock()))


def as_command(notice: Notice) -> Command:
    """The command of the same name."""
    match notice:
        case backend.Acquire():
            return commands.Acquire(
                notice.child,
                notice.source,
                notice.destination,
                notice.protocol,
                notice.source_port,
                notice.destination_port,
            )
        case backend.SoftExpired(sa):
            return commands.SoftExpired(sa)
        case backend.HardExpired(sa):
            return commands.HardExpired(sa)
        case backend.FirstInbound(sa):
            return commands.FirstInbound(sa)
        case backend.PeerMoved(sa, remote):
            return commands.PeerMoved(sa, remote)
        case _:
            assert_never(notice)
