"""The event loop: time, timers, goals, power switches, and what a failure says."""

from __future__ import annotations

import pytest

from isthmus.dataplane.memory import Packet
from isthmus.engine import commands
from isthmus.engine.outputs import Program, Resolve, SendDatagram, SendKeepAlive
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Instant, Seconds, Ticket
from isthmus.model.sa_spec import InstallPolicy, InstallSa, PolicySpec
from isthmus.sim.failure import SimulationFailure
from isthmus.sim.network import Frame
from isthmus.sim.plans import EAST, packet_for
from tests.sim.puppet import puppet, say, stage
from tests.sim.test_invariants import inbound, install, outbound, sealed

SECOND = Seconds(1.0)


def test_time_passes_when_nothing_happens() -> None:
    world, _, _ = stage()
    world.run(limit=Seconds(90.0))
    assert world.now == 90.0


def test_the_goal_is_looked_at_once_more_when_the_time_is_up() -> None:
    world, _, _ = stage()
    world.run(until=lambda: world.now >= 5.0, limit=Seconds(5.0))


def test_a_goal_that_is_missed_says_how_to_see_it_again() -> None:
    world, east, west = stage(seed=42)
    say(east, SendDatagram(Endpoint(east.address, 500), Endpoint(west.address, 500), sealed()))
    with pytest.raises(SimulationFailure) as failure:
        world.run(until=lambda: False, limit=SECOND)
    assert failure.value.seed == 42
    assert failure.value.at == 1.0
    text = str(failure.value)
    assert "again: again" in text
    assert "boots" in text


def test_a_datagram_reaches_the_engine_at_the_other_end() -> None:
    world, east, west = stage()
    say(east, SendDatagram(Endpoint(east.address, 500), Endpoint(west.address, 500), sealed()))
    world.run(limit=SECOND)
    (heard,) = puppet(west).heard
    assert (heard.local, heard.remote) == (Endpoint(west.address, 500), Endpoint(east.address, 500))
    assert heard.octets == sealed()


def test_on_port_4500_the_marker_is_put_on_and_taken_off() -> None:
    world, east, west = stage()
    crossing: list[Frame] = []
    world.network.taps.append(crossing.append)
    ends = Endpoint(east.address, 4500), Endpoint(west.address, 4500)
    say(east, SendDatagram(*ends, sealed()), SendKeepAlive(*ends))
    world.run(limit=SECOND)
    assert [frame.body for frame in crossing] == [bytes(4) + sealed(), b"\xff"]
    assert [datagram.octets for datagram in puppet(west).heard] == [sealed()]


def test_a_timer_is_handled_when_it_is_due() -> None:
    world, east, _ = stage()
    gateway, rung = puppet(east), list[float]()

    def ring(now: Instant) -> None:
        rung.append(now)
        gateway.timer = Instant(now + 10.0) if now < 30 else None

    gateway.handle_timer = ring  # type: ignore[method-assign]
    east.tick()
    world.run(limit=Seconds(100.0))
    assert rung == [0.0, 10.0, 20.0, 30.0]


def test_a_refused_operation_comes_back_with_its_ticket() -> None:
    _, east, west = stage()
    east.refuse = lambda op: "table full" if isinstance(op, InstallSa) else None
    say(east, Program(Ticket(7), InstallSa(inbound(east, west))))
    assert puppet(east).commands == [commands.ProgramFailed(Ticket(7), "table full")]


def test_a_name_is_resolved_after_a_while() -> None:
    world, east, west = stage()
    east.names["west.example"] = (west.address,)
    say(east, Resolve("west", "west.example"), Resolve("west", "nobody.example"))
    assert puppet(east).commands == []
    world.run(limit=SECOND)
    answers = [c.addresses for c in puppet(east).commands if isinstance(c, commands.Resolved)]
    assert answers == [(west.address,), ()]


def test_a_killed_site_is_deaf_and_empty_and_boots_as_new() -> None:
    world, east, west = stage()
    install(west, inbound(west, east))
    before = puppet(west)
    west.kill()
    say(east, SendDatagram(Endpoint(east.address, 500), Endpoint(west.address, 500), sealed()))
    world.run(limit=SECOND)
    assert west.plane.installed == ()
    assert before.heard == []
    west.boot()
    assert puppet(west) is not before
    assert before.surroundings.entropy is puppet(west).surroundings.entropy


def test_a_flow_counts_what_arrives_and_the_longest_silence() -> None:
    world, east, west = stage()
    world.invariants = ()
    into = inbound(west, east)
    install(west, into)
    policy = PolicySpec("west:lan", "tunnel.1", 1, into.remote_selectors, into.local_selectors)
    say(east, Program(Ticket(1), InstallPolicy(policy)))
    flow = world.flow(east, west, packet_for(EAST.proxy_ids[0]), every=SECOND)
    flow.start()
    world.run(limit=Seconds(3.5))
    assert (flow.sent, flow.received, flow.missing) == (4, 0, 4)
    flow.forget()
    say(east, Program(Ticket(2), InstallSa(outbound(east, west))))
    world.run(limit=Seconds(10.0))
    flow.stop()
    assert (flow.sent, flow.received, flow.missing) == (10, 10, 0)
    assert 0.9 < flow.outage < 1.1
    wanted = [c for c in puppet(east).commands if isinstance(c, commands.Acquire)]
    assert len(wanted) == 4
    heard = [c for c in puppet(west).commands if isinstance(c, commands.Heard)]
    assert heard
    assert all(command.spis == (into.spi,) for command in heard)


def test_a_packet_in_the_clear_is_none_of_our_business() -> None:
    _, east, west = stage()
    clear: Packet = packet_for(EAST.proxy_ids[0])
    west.receive(Frame(Endpoint(east.address, 0), Endpoint(west.address, 0), clear, udp=False))
    assert puppet(west).heard == []
