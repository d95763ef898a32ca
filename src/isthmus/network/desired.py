"""What a plan wants of the host: links, addresses and routes, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from isthmus.model.address import Address
from isthmus.model.plan import FixedPeer, InterfaceAddress, InterfacePlan, Mode, Network, Plan
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

    @property
    def versions(self) -> frozenset[int]:
        """The IP versions that are routed into tunnels."""
        return frozenset(route.destination.version for route in self.routes if route.interface in self.links)

    def without(self, interfaces: Collection[str]) -> DesiredState:
        """The same but for tunnel interfaces that could not be made. Their backstops stay: nothing goes around them."""
        return DesiredState(
            {name: link for name, link in self.links.items() if name not in interfaces},
            frozenset(a for a in self.addresses if a.interface not in interfaces),
            frozenset(r for r in self.routes if r.interface not in interfaces),
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
    return DesiredState(links, addresses, frozenset(_routes(plan, links)))


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
    to_peers = _hosts_reached(plan)
    for route in plan.routes:
        if route.virtual_router != DEFAULT_ROUTER:
            raise ValueError(f"route {route.name}: virtual router {route.virtual_router} has no table")
        yield Route(route.destination, route.interface, route.metric)
        # Behind a route to the peer itself there is none: what we seal for it would meet it too.
        reached = any(peer in route.destination for peer in to_peers.get(route.interface, ()))
        if route.interface in links and not reached:
            yield Route(route.destination, None, BACKSTOP_METRIC)


def _hosts_reached(plan: Plan) -> Mapping[str, Collection[Address]]:
    """The peers to whom themselves tunnel interfaces lead, in transport mode."""
    found: dict[str, set[Address]] = {}
    for manual in plan.manual.values():
        if manual.mode is Mode.TRANSPORT:
            found.setdefault(manual.interface, set()).add(manual.remote)
    for tunnel in plan.tunnels.values():
        address = plan.peers[tunnel.peer].address
        if tunnel.mode is Mode.TRANSPORT and isinstance(address, FixedPeer):
            found.setdefault(tunnel.interface, set()).add(address.address)
    return found
