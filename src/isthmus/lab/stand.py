"""Builds a topology out of namespaces: gateways around one router, hosts behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network

from isthmus.lab.namespaces import Namespace, Playground
from isthmus.lab.topology import Leg, Site, Topology
from isthmus.model.address import Address

# The router has the same address on every leg, and each gateway reaches it as a neighbour: so the addresses of the
# sites need no common network, and no two of them are on one link by accident.
_ROUTER: dict[int, Address] = {4: ip_address("169.254.0.1"), 6: ip_address("fe80::1")}
_EVERYTHING = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}


@dataclass(frozen=True, slots=True)
class Stand:
    """The namespaces of a topology."""

    gateways: Mapping[str, Namespace]
    hosts: Mapping[Address, Namespace]
    """Who lives at an inner address."""
    middle: Namespace


def build(topology: Topology, playground: Playground) -> Stand:
    middle = playground.namespace("middle")
    middle.forward()
    gateways: dict[str, Namespace] = {}
    hosts: dict[Address, Namespace] = {}
    for number, site in enumerate(topology.sites):
        gateway = gateways[site.name] = playground.namespace(site.name)
        gateway.forward()
        for place, leg in enumerate(site.legs):
            _join(gateway, leg, middle, f"site{number}-{place}")
        hosts |= _settle(gateway, site, playground)
    return Stand(gateways, hosts, middle)


def _join(gateway: Namespace, leg: Leg, middle: Namespace, port: str) -> None:
    gateway.cable(leg.interface, middle, port)
    for address in leg.addresses:
        gateway.address(leg.interface, ip_interface(address))
        middle.route(ip_network(address), port)
    for version in {address.version for address in leg.addresses}:
        router = _ROUTER[version]
        middle.address(port, ip_interface(router))
        gateway.route(ip_network(router), leg.interface)
        gateway.route(_EVERYTHING[version], leg.interface, via=router)


def _settle(gateway: Namespace, site: Site, playground: Playground) -> dict[Address, Namespace]:
    hosts: dict[Address, Namespace] = {}
    for lan in site.lans:
        host = playground.namespace(f"{site.name}-{lan.interface}")
        gateway.cable(lan.interface, host, "eth0")
        for subnet in lan.subnets:
            gateway.address(lan.interface, subnet.gateway)
            host.address("eth0", subnet.host)
            hosts[subnet.host.ip] = host
        for version, everything in _EVERYTHING.items():
            way = next((s.gateway.ip for s in lan.subnets if s.gateway.version == version), None)
            if way is not None:
                host.route(everything, "eth0", via=way)
    return hosts
