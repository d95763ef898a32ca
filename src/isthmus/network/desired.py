"""What a plan wants of the host: links, addresses and routes, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from isthmus.model.plan import FixedPeer, InterfaceAddress, InterfacePlan, Mode, Network, Plan
from isthmus.network.guard import Guarded
from isthmus.network.mtu import Envelope, TunnelMtu, envelopes, manual_envelope, tunnel_mtu

DEFAULT_ROUTER = "default"
BACKSTOP_METRIC = 2**32 - 1
"""Worse than any route that somebody else may have."""
UNKNOWN_LINK_MTU = 1500
"""Ethernet's, for an outer interface that is not there yet."""


@dataclass(frozen=True, slots=True)
class Link:
    """A tunnel interface that is up."""

    name: str
    mtu: int
    because: str
    """Where the MTU comes from."""


@dataclass(frozen=True, slots=True)
class InterfaceAddressed:
    interface: str
    address: InterfaceAddress

    def __str__(self) -> str:
        return f"address {self.address} on {self.interface}"


@dataclass(frozen=True, slots=True)
class Route:
    """A route of ours in the main table. Without an interface it is a backstop: unreachable."""

    destination: Network
    interface: str | None
    metric: int

    def __str__(self) -> str:
        way = f"by {self.interface}" if self.interface else "unreachable"
        return f"route {self.destination} {way} metric {self.metric}"


@dataclass(frozen=True, slots=True)
class DesiredState:
    links: Mapping[str, Link]
    addresses: frozenset[InterfaceAddressed]
    routes: frozenset[Route]
    guarded: frozenset[Guarded] = frozenset()
    """Hosts that speak to each other through a tunnel interface only."""

    @property
    def versions(self) -> frozenset[int]:
        """The IP versions that are routed into tunnels."""
        return frozenset(route.destination.version for route in self.routes if route.interface in self.links)

    def without(self, interfaces: Collection[str]) -> DesiredState:
        """The same but for tunnel interfaces that could not be made. Backstops and guards stay: nothing goes around."""
        return DesiredState(
            {name: link for name, link in self.links.items() if name not in interfaces},
            frozenset(a for a in self.addresses if a.interface not in interfaces),
            frozenset(r for r in self.routes if r.interface not in interfaces),
            self.guarded,
        )


NOTHING = DesiredState({}, frozenset(), frozenset())


def desired_state(
    plan: Plan, outer_mtus: Mapping[str, int], agreed: Mapping[str, tuple[Envelope, ...]] | None = None
) -> DesiredState:
    """What the plan wants, given the MTUs of the host's own interfaces.

    `agreed`: for each tunnel interface, what its SAs really put around packets. Where nothing is agreed on yet,
    the worst of what the profiles allow counts.
    """
    tunnels = [interface for interface in plan.interfaces.values() if interface.is_tunnel]
    links = {i.name: _link(plan, i, outer_mtus, (agreed or {}).get(i.name, ())) for i in tunnels}
    addresses = frozenset(InterfaceAddressed(i.name, address) for i in tunnels for address in i.addresses)
    return DesiredState(links, addresses, frozenset(_routes(plan, links)), frozenset(_guarded(plan)))


def _link(plan: Plan, interface: InterfacePlan, outer_mtus: Mapping[str, int], agreed: tuple[Envelope, ...]) -> Link:
    if interface.mtu is not None:
        return Link(interface.name, interface.mtu, "configured")
    chosen = _computed_mtu(plan, interface, outer_mtus, agreed)
    return Link(interface.name, chosen.mtu, chosen.because)


def _computed_mtu(
    plan: Plan, interface: InterfacePlan, outer_mtus: Mapping[str, int], agreed: tuple[Envelope, ...]
) -> TunnelMtu:
    candidates = []
    for tunnel in plan.tunnels_at(interface.name):
        peer = plan.peers[tunnel.peer]
        outer = outer_mtus.get(peer.interface, UNKNOWN_LINK_MTU)
        candidates.append(tunnel_mtu(outer, peer.interface, agreed or envelopes(peer, tunnel)))
    for manual in plan.manual.values():
        if manual.interface == interface.name:
            outer = outer_mtus.get(manual.outer, UNKNOWN_LINK_MTU)
            candidates.append(tunnel_mtu(outer, manual.outer, (manual_envelope(manual),)))
    unused = TunnelMtu(UNKNOWN_LINK_MTU, "no tunnel uses the interface")
    return min(candidates, key=lambda candidate: candidate.mtu, default=unused)


def _routes(plan: Plan, links: Mapping[str, Link]) -> Iterable[Route]:
    for route in plan.routes:
        if route.virtual_router != DEFAULT_ROUTER:
            raise ValueError(f"route {route.name}: virtual router {route.virtual_router} has no table")
        yield Route(route.destination, route.interface, route.metric)
        # Behind a route to the peer itself there is none: what we seal for it would meet it too. It is guarded.
        reached = any(pair.interface == route.interface and pair.remote in route.destination for pair in _hosts(plan))
        if route.interface in links and not reached:
            yield Route(route.destination, None, BACKSTOP_METRIC)


def _guarded(plan: Plan) -> Iterable[Guarded]:
    """The hosts whom a route leads to each other: nothing is protected where none does."""
    for pair in _hosts(plan):
        if any(pair.interface == route.interface and pair.remote in route.destination for route in plan.routes):
            yield pair


def _hosts(plan: Plan) -> Iterable[Guarded]:
    """Ourselves and the peers to whom themselves tunnel interfaces lead, in transport mode."""
    for manual in plan.manual.values():
        if manual.mode is Mode.TRANSPORT:
            yield Guarded(manual.interface, manual.local, manual.remote)
    for tunnel in plan.tunnels.values():
        peer = plan.peers[tunnel.peer]
        if tunnel.mode is Mode.TRANSPORT and isinstance(peer.address, FixedPeer):
            yield Guarded(tunnel.interface, peer.local, peer.address.address)
