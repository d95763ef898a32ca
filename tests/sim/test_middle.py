"""Hooks in the middle, and how they pick."""

from __future__ import annotations

from isthmus.dataplane.memory import EspPacket
from isthmus.engine.outputs import SendDatagram
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Seconds
from isthmus.sim.middle import Delay, Hold, Lose, Observe, Tamper, any_esp, any_ike, message
from isthmus.sim.network import Frame
from isthmus.sim.plans import EAST as EAST_PARTY
from isthmus.sim.plans import packet_for
from isthmus.wire.registry import ExchangeType
from tests.sim.puppet import say, stage
from tests.sim.test_invariants import sealed
from tests.sim.wire import EAST, WEST, Wire, numbered


def test_hooks_lose_delay_and_change_what_they_pick() -> None:
    wire = Wire()
    Lose(wire.network, lambda frame: frame.body == b"lost")
    Delay(wire.network, lambda frame: frame.body == b"late", Seconds(5.0))
    Tamper(wire.network, lambda frame: frame.body == b"good", lambda _: b"bad")
    wire.send(b"lost", b"late", b"good", b"lost")
    wire.pass_time()
    assert wire.at_west == [(0.01, b"bad"), (0.01, b"lost"), (5.01, b"late")]


def test_a_hook_can_skip_the_first_ones() -> None:
    wire = Wire()
    lost = Lose(wire.network, lambda frame: True, skip=2)
    wire.send(*numbered(4))
    wire.pass_time()
    assert wire.arrived == [*numbered(2), numbered(4)[3]]
    assert lost.acted == 1


def test_held_frames_wait_until_they_are_let_go() -> None:
    wire = Wire()
    hold = Hold(wire.network, lambda frame: True)
    wire.send(*numbered(3))
    wire.pass_time(10.0)
    assert wire.arrived == []
    hold.release()
    wire.send(b"after")
    wire.pass_time()
    assert wire.arrived == [*numbered(3), b"after"]


def test_messages_are_picked_by_exchange_kind_and_sender() -> None:
    world, east, west = stage()
    requests = Observe(world.network, message(ExchangeType.INFORMATIONAL, response=False))
    answers = Observe(world.network, message(ExchangeType.INFORMATIONAL, response=True))
    of_east = Observe(world.network, message(ExchangeType.INFORMATIONAL, source=east))
    others = Observe(world.network, message(ExchangeType.CREATE_CHILD_SA))
    ends = Endpoint(east.address, 4500), Endpoint(west.address, 4500)
    say(east, SendDatagram(*ends, sealed(number=1)))
    say(west, SendDatagram(ends[1], ends[0], sealed(number=1, response=True)))
    assert (requests.acted, answers.acted, of_east.acted, others.acted) == (1, 1, 1, 0)


def test_esp_and_noise_are_no_ike() -> None:
    esp = Frame(EAST, WEST, EspPacket(0x1000, 1, packet_for(EAST_PARTY.proxy_ids[0]), bytes(16)))
    noise = Frame(EAST, WEST, b"noise")
    assert (any_esp(esp), any_esp(noise)) == (True, False)
    assert not any_ike(esp)
    assert not any_ike(noise)
