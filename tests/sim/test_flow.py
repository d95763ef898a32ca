"""Traffic between two sites."""

from __future__ import annotations

from itertools import pairwise

import pytest

from isthmus.engine import commands
from isthmus.engine.outputs import Program, SendDatagram
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Seconds, Ticket
from isthmus.model.sa_spec import InstallPolicy, InstallSa, PolicySpec
from isthmus.sim.flow import CLOSEST, FARTHEST
from isthmus.sim.plans import EAST, packet_for
from tests.sim.puppet import puppet, say, stage
from tests.sim.test_invariants import WEST_LAN, inbound, install, outbound, sealed

SECOND = Seconds(1.0)


def test_a_flow_counts_what_arrives_and_the_longest_silence() -> None:
    world, east, west = stage()
    world.watch.rest()
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


def test_packets_come_close_together_when_gateways_speak_and_far_apart_at_rest() -> None:
    world, east, west = stage()
    world.watch.rest()
    install(west, inbound(west, east))
    install(east, outbound(east, west))
    policy = PolicySpec("west:lan", "tunnel.1", 1, outbound(east, west).local_selectors, (WEST_LAN,))
    say(east, Program(Ticket(9), InstallPolicy(policy)))
    sent_at: list[float] = []
    world.network.taps.append(lambda frame: sent_at.append(world.now))
    flow = world.flow(east, west, packet_for(EAST.proxy_ids[0]))
    flow.start()
    world.run(limit=Seconds(30.0))
    gaps = [later - earlier for earlier, later in pairwise(sent_at)]
    assert gaps[0] == pytest.approx(CLOSEST)
    assert gaps[-1] == pytest.approx(FARTHEST)
    assert gaps == pytest.approx(sorted(gaps))
    spoken_at = world.now
    say(west, SendDatagram(Endpoint(west.address, 500), Endpoint(east.address, 500), sealed()))
    world.run(limit=Seconds(0.2))
    first, second = [at for at in sent_at if at > spoken_at][:2]
    assert first == pytest.approx(spoken_at + CLOSEST)
    assert second - first < 3 * CLOSEST
    flow.stop()
    count = len(sent_at)
    world.run(limit=Seconds(30.0))
    assert len(sent_at) == count
