"""The driver of one gateway."""

from __future__ import annotations

from isthmus.dataplane.memory import Packet
from isthmus.engine import commands
from isthmus.engine.outputs import Program, Resolve, SendDatagram, SendKeepAlive
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Seconds, Ticket
from isthmus.model.sa_spec import InstallSa
from isthmus.sim.network import Frame
from isthmus.sim.plans import EAST, packet_for
from tests.sim.puppet import puppet, say, stage
from tests.sim.test_invariants import inbound, install, sealed

SECOND = Seconds(1.0)


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


def test_a_packet_in_the_clear_is_none_of_our_business() -> None:
    _, east, west = stage()
    clear: Packet = packet_for(EAST.proxy_ids[0])
    west.receive(Frame(Endpoint(east.address, 0), Endpoint(west.address, 0), clear, udp=False))
    assert puppet(west).heard == []
