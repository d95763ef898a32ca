from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address

import pytest

from isthmus.dataplane import backend
from isthmus.engine import commands
from isthmus.engine.outputs import Output, Program, Resolve, SendDatagram, SendKeepAlive
from isthmus.events.event import Event
from isthmus.events.ike import RetryScheduled
from isthmus.events.runtime import DataPlaneRefused, RuntimeFault
from isthmus.model.address import Datagram, Endpoint
from isthmus.model.quantities import InboundSpi, Instant, Ticket
from isthmus.model.sa_spec import Direction, RemovePolicy, RemoveSa, SaId
from isthmus.runtime.driver import Driver, as_command
from tests.runtime.fakes import FakeCarrier, FakeClock, FakeEngine, FakePlane

HERE, THERE = Endpoint(ip_address("192.0.2.1"), 500), Endpoint(ip_address("198.51.100.2"), 500)
SEND = SendDatagram(HERE, THERE, b"message")
DATAGRAM = Datagram(HERE, THERE, b"answer")
SA = SaId(Direction.INBOUND, 0x1234, "198.51.100.2")
SHUTDOWN = commands.Shutdown()
TOLD = RetryScheduled(at=Instant(1000.0), peer="branch", wait=1.0)


class Bench:
    """A driver among fakes."""

    def __init__(self, reacts: Callable[[object], Iterable[Output]] = lambda _: ()) -> None:
        self.engine, self.plane, self.carrier, self.clock = FakeEngine(reacts), FakePlane(), FakeCarrier(), FakeClock()
        self.events: list[Event] = []
        self.asked: list[tuple[str, str]] = []
        self.driver = Driver(
            self.engine,
            self.plane,
            self.carrier,
            look_up=lambda peer, name: self.asked.append((peer, name)),
            record=lambda event: self.record(event),
            clock=self.clock,
            call_later=self.clock.call_later,
        )

    def record(self, event: Event) -> None:
        self.events.append(event)

    @property
    def faults(self) -> list[tuple[str, str]]:
        return [(e.doing, e.error) for e in self.events if isinstance(e, RuntimeFault)]


def once(thing: object, *outputs: Output) -> Callable[[object], Iterable[Output]]:
    """Reacts to one thing, and to nothing else."""
    return lambda heard: outputs if heard == thing else ()


def test_each_output_goes_to_the_one_that_carries_it_out() -> None:
    program = Program(Ticket(1), RemovePolicy("branch"))
    bench = Bench(once(DATAGRAM, program, SEND, SendKeepAlive(HERE, THERE), Resolve("branch", "a.example"), TOLD))
    bench.driver.receive(DATAGRAM)
    assert bench.plane.log == [program.op]
    assert bench.carrier.sent == [SEND, SendKeepAlive(HERE, THERE)]
    assert bench.asked == [("branch", "a.example")]
    assert bench.events == [TOLD]


def test_outputs_are_carried_out_in_their_order() -> None:
    order: list[str] = []
    bench = Bench(once(DATAGRAM, Program(Ticket(1), RemovePolicy("branch")), SEND, TOLD))
    bench.plane.apply = lambda op: order.append("program")  # type: ignore[method-assign]
    bench.carrier.send = lambda order_: order.append("send")  # type: ignore[method-assign, assignment]
    bench.record = lambda event: order.append("event")  # type: ignore[method-assign]
    bench.driver.receive(DATAGRAM)
    assert order == ["program", "send", "event"]


def test_a_refusal_of_the_data_plane_comes_back_with_its_ticket() -> None:
    bench = Bench(once(DATAGRAM, Program(Ticket(7), RemovePolicy("branch")), SEND))
    bench.plane.refused[RemovePolicy] = "no such device"
    bench.driver.receive(DATAGRAM)
    assert bench.engine.heard == [DATAGRAM, commands.ProgramFailed(Ticket(7), "no such device")]
    assert bench.carrier.sent == [SEND]
    assert [type(event) for event in bench.events] == [DataPlaneRefused]


def test_a_bug_in_the_data_plane_is_a_failure_for_the_engine_and_a_fault_for_us() -> None:
    bench = Bench(once(DATAGRAM, Program(Ticket(7), RemoveSa(SA))))

    def broken(op: object) -> None:
        raise KeyError("secret words")

    bench.plane.apply = broken  # type: ignore[method-assign]
    bench.driver.receive(DATAGRAM)
    assert bench.engine.heard == [DATAGRAM, commands.ProgramFailed(Ticket(7), "KeyError")]
    assert bench.faults == [("carrying out Program", "KeyError")]
    assert not any("secret" in event.tell() for event in bench.events)


def test_what_a_command_leads_to_is_done_when_it_returns() -> None:
    bench = Bench(once(SHUTDOWN, SEND))
    bench.driver.command(SHUTDOWN)
    assert bench.carrier.sent == [SEND]


def test_a_command_given_while_an_event_is_told_is_carried_out_after_it() -> None:
    reload = commands.InitiateIke("branch")
    later = SendDatagram(HERE, THERE, b"later")

    def reacts(heard: object) -> Iterable[Output]:
        return (TOLD, SEND) if heard == DATAGRAM else (later,) if heard == reload else ()

    bench = Bench(reacts)
    bench.record = lambda event: bench.driver.command(reload)  # type: ignore[method-assign]
    bench.driver.receive(DATAGRAM)
    assert bench.carrier.sent == [SEND, later]


@pytest.mark.parametrize("method", ["receive", "command", "handle_timer", "poll", "next_timer"])
def test_a_crash_of_the_engine_is_told_and_the_next_call_takes_place(method: str) -> None:
    bench = Bench(once(SHUTDOWN, SEND))
    whole = getattr(bench.engine, method)

    def broken(*_: object) -> None:
        setattr(bench.engine, method, whole)
        raise ZeroDivisionError

    setattr(bench.engine, method, broken)
    bench.driver.receive(DATAGRAM)
    bench.driver.command(commands.InitiateIke("branch"))
    bench.driver.wake()
    bench.driver.command(SHUTDOWN)
    assert len(bench.faults) == 1
    assert bench.carrier.sent == [SEND]


def test_one_output_that_fails_does_not_hold_up_the_others() -> None:
    bench = Bench(once(DATAGRAM, Resolve("branch", "a.example"), SEND))
    bench.driver._look_up = lambda *_: 1 / 0  # type: ignore[misc, assignment]
    bench.driver.receive(DATAGRAM)
    assert bench.faults == [("carrying out Resolve", "ZeroDivisionError")]
    assert bench.carrier.sent == [SEND]


def test_the_timer_rings_when_the_engine_asked_for_it() -> None:
    bench = Bench()
    bench.engine.timer = Instant(1005.0)
    bench.driver.command(SHUTDOWN)
    bench.clock.pass_time(4.9)
    assert bench.engine.heard == [SHUTDOWN]
    bench.clock.pass_time(0.2)
    assert bench.engine.heard == [SHUTDOWN, Instant(1005.1)]


def test_there_is_one_timer_at_a_time_and_it_follows_the_engine() -> None:
    bench = Bench()
    for due in (1005.0, 1005.0, 1003.0, 1009.0):
        bench.engine.timer = Instant(due)
        bench.driver.command(SHUTDOWN)
        assert [timer.due for timer in bench.clock.pending] == [due]
    assert len(bench.clock.timers) == 3
    bench.engine.timer = None
    bench.driver.command(SHUTDOWN)
    assert bench.clock.pending == []


def test_a_timer_that_is_always_due_leaves_time_for_others() -> None:
    bench = Bench()
    bench.engine.timer = Instant(0.0)
    bench.driver.command(SHUTDOWN)
    (timer,) = bench.clock.pending
    assert timer.due > bench.clock()


def test_the_timer_comes_back_after_asking_for_it_failed() -> None:
    bench = Bench()
    bench.engine.next_timer = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    bench.driver.command(SHUTDOWN)
    del bench.engine.next_timer
    bench.clock.pass_time(2.0)
    assert bench.engine.heard == [SHUTDOWN, Instant(1002.0)]


def test_after_closing_no_timer_rings() -> None:
    bench = Bench()
    bench.engine.timer = Instant(1005.0)
    bench.driver.command(SHUTDOWN)
    bench.driver.close()
    bench.driver.command(SHUTDOWN)
    assert bench.clock.pending == []


def test_a_harvest_brings_notices_and_the_ike_messages_of_the_shared_port() -> None:
    bench = Bench()
    bench.plane.to_notice = [backend.SoftExpired(SA), backend.FirstInbound(SA)]
    bench.plane.to_deliver = [DATAGRAM]
    assert bench.driver.harvest()
    assert bench.engine.heard == [commands.SoftExpired(SA), commands.FirstInbound(SA), DATAGRAM]


def test_a_plane_that_cannot_tell_its_notices_still_delivers_datagrams() -> None:
    bench = Bench()
    bench.plane.notices = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    bench.plane.to_deliver = [DATAGRAM]
    assert not bench.driver.harvest()
    assert bench.engine.heard == [DATAGRAM]
    assert bench.faults == [("collecting notices", "ZeroDivisionError")]


def test_signs_of_life_are_told_only_when_there_are_any() -> None:
    bench = Bench()
    bench.driver.listen_for_life()
    bench.plane.alive = [InboundSpi(1), InboundSpi(2)]
    bench.driver.listen_for_life()
    assert bench.engine.heard == [commands.Heard((InboundSpi(1), InboundSpi(2)))]


def test_every_notice_is_the_command_of_its_name() -> None:
    source, destination = ip_address("10.1.0.1"), ip_address("10.2.0.1")
    assert as_command(backend.Acquire("branch", source, destination, 6, 1024, 443)) == commands.Acquire(
        "branch", source, destination, 6, 1024, 443
    )
    assert as_command(backend.SoftExpired(SA)) == commands.SoftExpired(SA)
    assert as_command(backend.HardExpired(SA)) == commands.HardExpired(SA)
    assert as_command(backend.FirstInbound(SA)) == commands.FirstInbound(SA)
    assert as_command(backend.PeerMoved(SA, THERE)) == commands.PeerMoved(SA, THERE)
