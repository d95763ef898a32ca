"""Plans for the tests of the network."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

from isthmus.model import algorithms
from isthmus.model.identity import Identity
from isthmus.model.plan import (
    ChildPlan,
    Encapsulation,
    FixedPeer,
    IkeProfile,
    InterfacePlan,
    IpsecProfile,
    Lifetime,
    Mode,
    PeerPlan,
    Plan,
    PreSharedKey,
    RoutePlan,
    TunnelPlan,
)
from isthmus.model.proposal import Proposal, Protocol, Transform, TransformType
from isthmus.model.quantities import Seconds
from isthmus.model.secret import Secret

HOUR = Lifetime(Seconds(3600.0))


def esp(encryption: str, integrity: str | None = None) -> Proposal:
    cipher = algorithms.ENCRYPTION_BY_NAME[encryption]
    transforms = [Transform(TransformType.ENCR, cipher.ikev2, cipher.key_bits)]
    if integrity is not None:
        transforms.append(Transform(TransformType.INTEG, algorithms.INTEGRITY_BY_NAME[integrity].ikev2))
    return Proposal(Protocol.ESP, tuple(transforms))


def peer(name: str = "branch", local: str = "192.0.2.1", encapsulation: Encapsulation = Encapsulation.AUTO) -> PeerPlan:
    return PeerPlan(
        name=name,
        interface="eth0",
        local=ip_address(local),
        address=FixedPeer(ip_address("198.51.100.2")),
        authentication=PreSharedKey(Secret(b"a secret of the tests")),
        local_id=Identity.of_address(ip_address(local)),
        peer_id=None,
        profile=IkeProfile("default", (), HOUR),
        encapsulation=encapsulation,
    )


def tunnel(*proposals: Proposal, interface: str = "tunnel.1", name: str = "branch") -> TunnelPlan:
    profile = IpsecProfile("default", proposals or (esp("aes-256-gcm"),), HOUR)
    return TunnelPlan(name, interface, "branch", profile, (ChildPlan(name, None, (), ()),))


def interface(name: str = "tunnel.1", *addresses: str, mtu: int | None = None) -> InterfacePlan:
    return InterfacePlan(name, "vpn", "default", tuple(ip_interface(a) for a in addresses), mtu)


def route(destination: str, by: str = "tunnel.1", metric: int = 10, router: str = "default") -> RoutePlan:
    return RoutePlan(f"to {destination} {by}", router, ip_network(destination), by, metric)


def plan(*routes: RoutePlan, interfaces: tuple[InterfacePlan, ...] | None = None, mode: Mode = Mode.TUNNEL) -> Plan:
    links = (interface("tunnel.1", "10.255.0.1/30"),) if interfaces is None else interfaces
    return Plan(
        interfaces={i.name: i for i in (InterfacePlan("eth0", "untrust", "default"), *links)},
        routes=routes,
        peers={"branch": peer()},
        tunnels={"branch": replace(tunnel(), mode=mode)},
    )
