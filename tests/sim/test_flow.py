"""Traffic between two sites."""

from __future__ import annotations

from isthmus.engine import commands
from isthmus.engine.outputs import Program
from isthmus.model.quantities import Seconds, Ticket
from isthmus.model.sa_spec import InstallPolicy, InstallSa, PolicySpec
from isthmus.sim.plans import EAST, packet_for
from tests.sim.puppet import puppet, say, stage
from tests.sim.test_invariants import inbound, install, outbound

SECOND = Seconds(1.0)


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
