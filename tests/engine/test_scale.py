"""What one tunnel costs must not depend on how many others there are: steps are counted, as time would not be fair."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from bench.metered import steps

from isthmus.engine.commands import InitiateChild
from isthmus.engine.gateway import Gateway
from isthmus.engine.outputs import SendDatagram
from isthmus.engine.surroundings import Surroundings
from isthmus.model.address import Datagram
from isthmus.model.identity import Identity
from isthmus.model.plan import DynamicPeer, FixedPeer, Plan, Start
from isthmus.model.quantities import Instant
from isthmus.sim.plans import EAST, WEST, plan_of
from tests.engine.table import Dice

NOW = Instant(1.0)
FEW, MANY = 10, 60


def plans(count: int, *, dynamic: bool) -> tuple[Plan, Plan]:
    """A hub that waits, and all its spokes on one engine; each at an address of its own."""
    spoke, hub = plan_of(replace(EAST, start=Start.ON_DEMAND), WEST), plan_of(WEST, EAST)
    return _many(hub, count, local=False, dynamic=dynamic), _many(spoke, count, local=True, dynamic=False)


def _many(plan: Plan, count: int, *, local: bool, dynamic: bool) -> Plan:
    (peer,), (tunnel,) = plan.peers.values(), plan.tunnels.values()
    peers, tunnels = {}, {}
    for number in range(count):
        name, address, identity = f"p{number}", ip_address("10.64.0.1") + number, Identity.fqdn(f"s{number}.example")
        children = tuple(replace(child, tunnel=name) for child in tunnel.children)
        if local:
            peers[name] = replace(peer, name=name, local=address, local_id=identity)
        else:
            where = DynamicPeer() if dynamic else FixedPeer(address)
            peers[name] = replace(peer, name=name, address=where, peer_id=identity)
        tunnels[name] = replace(tunnel, name=name, peer=name, children=children)
    return replace(plan, peers=peers, tunnels=tunnels)


class Network:
    """The two, without a wire: what one sends the other has at once."""

    def __init__(self, count: int, *, dynamic: bool = False) -> None:
        hub, spokes = plans(count, dynamic=dynamic)
        self.hub = Gateway(hub, Surroundings(Dice(1)))
        self.spokes = Gateway(spokes, Surroundings(Dice(2)))
        for gateway in (self.hub, self.spokes):
            gateway.handle_timer(NOW)
        self._sent(self.hub)
        for number in range(count - 1):
            self.bring_up(number)

    def bring_up(self, number: int) -> None:
        self.spokes.command(InitiateChild(f"p{number}:lan"), NOW)
        to_hub = self._sent(self.spokes)
        while to_hub:
            for order in to_hub:
                self.hub.receive(Datagram(order.remote, order.local, order.octets), NOW)
            for order in self._sent(self.hub):
                self.spokes.receive(Datagram(order.remote, order.local, order.octets), NOW)
            to_hub = self._sent(self.spokes)

    def _sent(self, gateway: Gateway) -> list[SendDatagram]:
        outputs = iter(gateway.poll, None)
        return [output for output in outputs if isinstance(output, SendDatagram)]


def test_a_set_up_takes_as_many_steps_beside_sixty_tunnels_as_beside_ten() -> None:
    few, many = Network(FEW), Network(MANY)
    beside_few = steps(lambda: few.bring_up(FEW - 1))
    beside_many = steps(lambda: many.bring_up(MANY - 1))
    assert len(many.hub.ike_sas()) == MANY
    assert beside_many < beside_few * 1.05


def test_of_many_dynamic_peers_the_one_that_speaks_is_found_in_few_steps_each() -> None:
    few, many = Network(FEW, dynamic=True), Network(MANY, dynamic=True)
    beside_few = steps(lambda: few.bring_up(FEW - 1))
    beside_many = steps(lambda: many.bring_up(MANY - 1))
    assert len(many.hub.ike_sas()) == MANY
    # Who it is must be asked of each of them once: nothing else may.
    assert beside_many - beside_few < 8 * (MANY - FEW)


def test_a_look_at_all_tunnels_takes_as_many_steps_for_each() -> None:
    few, many = Network(FEW), Network(MANY)
    assert steps(many.hub.tunnels) / MANY < steps(few.hub.tunnels) / FEW * 1.2
