"""From the plans of several sites to the network that would join them: who has which leg, which LAN, which host."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_interface, ip_network

from isthmus.model.address import Address
from isthmus.model.plan import ChildPlan, DynamicPeer, FixedPeer, InterfaceAddress, NamedPeer, Network, PeerPlan, Plan
from isthmus.model.selectors import ANY_PROTOCOL, TrafficSelector

_TCP = 6
_FILE_PORT = 8080


class CannotStage(Exception):
    """The files describe something that cannot stand on one machine. `why` is for the operator."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Leg:
    """A gateway's interface towards the others, and its addresses there."""

    interface: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Subnet:
    """One network on a LAN: the gateway's address in it and a host's, which the tunnels admit."""

    gateway: InterfaceAddress
    host: InterfaceAddress


@dataclass(frozen=True, slots=True)
class Lan:
    """An interface away from the others, with what lives behind it."""

    interface: str
    subnets: tuple[Subnet, ...]


@dataclass(frozen=True, slots=True)
class Site:
    name: str
    plan: Plan
    legs: tuple[Leg, ...]
    lans: tuple[Lan, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """Two hosts that a tunnel lets talk."""

    site: str
    other: str
    child: str
    source: Address
    destination: Address
    echo: bool
    """Whether pings may pass."""
    port: int | None
    """Where the destination may be reached by TCP."""


@dataclass(frozen=True, slots=True)
class Topology:
    sites: tuple[Site, ...]

    def flows(self) -> tuple[Flow, ...]:
        """Each direction once for each child that joins two of the sites."""
        return tuple(
            flow for site, other in itertools.permutations(self.sites, 2) for flow in _flows_between(site, other)
        )

    def site(self, name: str) -> Site:
        return next(site for site in self.sites if site.name == name)

    def inner_addresses(self) -> frozenset[Address]:
        """What must not be seen between the sites."""
        return frozenset(
            address.ip
            for site in self.sites
            for lan in site.lans
            for subnet in lan.subnets
            for address in (subnet.gateway, subnet.host)
        )


def stage(plans: Mapping[str, Plan]) -> Topology:
    """The topology of the named plans."""
    taken: dict[Address, str] = {}
    for name, plan in plans.items():
        for peer in plan.peers.values():
            if isinstance(peer.address, NamedPeer):
                raise CannotStage(f"{name}: peer {peer.name} is a name, {peer.address.name}; a lab resolves none")
            if taken.setdefault(peer.local, name) != name:
                raise CannotStage(f"{name} and {taken[peer.local]} both have the address {peer.local}")
    return Topology(tuple(_site(name, plan, plans) for name, plan in plans.items()))


def _site(name: str, plan: Plan, plans: Mapping[str, Plan]) -> Site:
    outer: dict[str, list[Address]] = {}
    for peer in plan.peers.values():
        addresses = outer.setdefault(peer.interface, [])
        if peer.local not in addresses:
            addresses.append(peer.local)
    if not outer:
        raise CannotStage(f"{name}: no gateway in ike-gateways, so nothing to join")
    inner = [i for i in plan.interfaces.values() if not i.is_tunnel and i.name not in outer]
    subnets = _subnets(plan, [p for n, p in plans.items() if n != name])
    lans = []
    for place, interface in enumerate(inner):
        # More networks than interfaces: the last one has the rest.
        share = subnets[place:] if place == len(inner) - 1 else subnets[place : place + 1]
        lans.append(Lan(interface.name, tuple(share)))
    return Site(name, plan, tuple(Leg(i, tuple(a)) for i, a in outer.items()), tuple(lans))


def _subnets(plan: Plan, others: list[Plan]) -> list[Subnet]:
    """What lives behind a site: its proxy IDs say it, else the routes that the other sites have to it."""
    found: dict[Network, Subnet] = {}
    for tunnel in plan.tunnels.values():
        for selector in itertools.chain.from_iterable(child.local for child in tunnel.children):
            _note(found, selector)
    for other in others:
        for route in other.routes:
            if route.interface in _interfaces_towards(other, plan):
                _note(found, TrafficSelector.of_network(route.destination))
    return list(found.values())


def _note(found: dict[Network, Subnet], selector: TrafficSelector) -> None:
    network = _covering(selector)
    if network.prefixlen == 0 or any(network.overlaps(known) for known in found if known.version == network.version):
        return
    addresses = [network[n] for n in range(1, min(256, network.num_addresses - 1))]
    admitted = [a for a in addresses if _has(selector, a)] or [selector.start]
    outside = [a for a in addresses if a not in admitted]
    # The gateway takes the first address that leaves one for the host.
    gateway = addresses[0] if addresses[0] not in admitted or len(admitted) > 1 else outside[0]
    host = next(a for a in admitted if a != gateway)
    found[network] = Subnet(_interface_address(gateway, network), _interface_address(host, network))


def _covering(selector: TrafficSelector) -> Network:
    """The smallest network that holds the selector, a gateway and a host."""
    differing = (int(selector.start) ^ int(selector.end)).bit_length()
    return ip_network(f"{selector.start}/{selector.start.max_prefixlen - max(differing, 2)}", strict=False)


def _has(selector: TrafficSelector, address: Address) -> bool:
    return selector.intersection(TrafficSelector.of_host(address)) is not None


def _interface_address(address: Address, network: Network) -> InterfaceAddress:
    return ip_interface(f"{address}/{network.prefixlen}")


def _interfaces_towards(plan: Plan, other: Plan) -> frozenset[str]:
    return frozenset(t.interface for t in plan.tunnels.values() if _leads_to(plan.peers[t.peer], other))


def _leads_to(peer: PeerPlan, other: Plan) -> bool:
    """Whether `other` is the gateway that `peer` describes."""
    match peer.address:
        case FixedPeer(address):
            return any(back.local == address for back in other.peers.values())
        case DynamicPeer():
            return any(back.local_id == peer.peer_id for back in other.peers.values())
        case NamedPeer():
            return False


def _flows_between(site: Site, other: Site) -> Iterator[Flow]:
    for tunnel in site.plan.tunnels.values():
        if not tunnel.enabled or not _leads_to(site.plan.peers[tunnel.peer], other.plan):
            continue
        for child in tunnel.children:
            pairs = itertools.product(_hosts(site), _hosts(other))
            flows = (_flow(site, other, child, *pair) for pair in pairs)
            yield from itertools.islice((flow for flow in flows if flow is not None), 1)


def _flow(site: Site, other: Site, child: ChildPlan, source: Address, destination: Address) -> Flow | None:
    here = [s for s in child.local if _has(s, source)]
    there = [s for s in child.remote if _has(s, destination)]
    if not here or not there:
        return None
    echo = any(s.protocol in (ANY_PROTOCOL, _icmp(s)) for s in there)
    ports = [_FILE_PORT if s.any_port else s.start_port for s in there if s.protocol in (ANY_PROTOCOL, _TCP)]
    return Flow(site.name, other.name, child.name, source, destination, echo, ports[0] if ports else None)


def _icmp(selector: TrafficSelector) -> int:
    return 1 if selector.version == 4 else 58


def _hosts(site: Site) -> list[Address]:
    return [subnet.host.ip for lan in site.lans for subnet in lan.subnets]
