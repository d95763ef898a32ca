"""Plans as the compiler would write them, in a line each."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from isthmus.model.identity import Identity
from isthmus.model.plan import (
    ChildPlan,
    DynamicPeer,
    FixedPeer,
    IkeProfile,
    InterfacePlan,
    IpsecProfile,
    Lifetime,
    PeerAddress,
    PeerPlan,
    Plan,
    PreSharedKey,
    RoutePlan,
    TunnelPlan,
)
from isthmus.model.quantities import Seconds
from isthmus.model.secret import Secret
from isthmus.model.selectors import ANY_IPV4, TrafficSelector

_LIFETIME = Lifetime(Seconds(3600.0))


def site(
    local: str,
    peer: str | None,
    *,
    lans: Sequence[str] = ("eth1",),
    selectors: Sequence[tuple[str, str]] = (),
    routes: Sequence[str] = (),
    protocol: int = 0,
    ports: tuple[int, int] = (0, 65535),
) -> Plan:
    """A gateway at `local` with one tunnel to the peer at `peer`; None: a peer that may come from anywhere."""
    address: PeerAddress = FixedPeer(ip_address(peer)) if peer else DynamicPeer()
    children = tuple(
        ChildPlan(
            "there",
            f"net{number}",
            (TrafficSelector.of_network(ip_network(mine)),),
            (TrafficSelector.of_network(ip_network(theirs), protocol, ports),),
        )
        for number, (mine, theirs) in enumerate(selectors)
    )
    everything = (ChildPlan("there", None, (ANY_IPV4,), (ANY_IPV4,)),)
    return Plan(
        interfaces={name: InterfacePlan(name, "any", "default") for name in ("eth0", *lans, "tunnel.1")},
        routes=tuple(RoutePlan(r, "default", ip_network(r), "tunnel.1") for r in routes),
        peers={
            "there": PeerPlan(
                "there",
                "eth0",
                ip_address(local),
                address,
                PreSharedKey(Secret(b"key")),
                Identity.fqdn(f"gw-{local}"),
                None if peer else Identity.fqdn("gw-198.51.100.2"),
                IkeProfile("p", (), _LIFETIME),
            )
        },
        tunnels={
            "there": TunnelPlan("there", "tunnel.1", "there", IpsecProfile("p", (), _LIFETIME), children or everything)
        },
    )
