"""Rules about tunnels, their proxy IDs and their monitors."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.config.problems import (
    ALGORITHMS,
    DUPLICATE_PROXY_ID,
    FAMILY_MISMATCH,
    INTERFACE_KIND,
    INTERFACE_UNPLACED,
    MONITOR_ADDRESS,
    NAME_TOO_LONG,
    ROUTER_MISMATCH,
    SHADOWED_PROXY_ID,
    TOO_MANY_PROXY_IDS,
    UNKNOWN_NAME,
    nearest,
)
from isthmus.config.rules.scope import Scope, is_tunnel
from isthmus.config.schema.tunnels import IpsecTunnel
from isthmus.config.selectors import selectors_of
from isthmus.config.tree import Path
from isthmus.config.values.words import MAX_NAME
from isthmus.model.selectors import ANY_IPV4, TrafficSelector

MAX_PROXY_IDS = 250
"""On one tunnel interface, as in the reference product."""


def a_tunnel_uses_a_tunnel_interface(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        if not is_tunnel(tunnel.tunnel_interface):
            text = f"{tunnel.tunnel_interface} is an interface of the host; a tunnel uses tunnel.N"
            scope.at_value(INTERFACE_KIND, ("ipsec-tunnels", name, "tunnel-interface"), text)
        if tunnel.manual_key is not None and is_tunnel(tunnel.manual_key.interface):
            text = f"{tunnel.manual_key.interface} is a tunnel interface; the peer is faced by one of the host"
            scope.at_value(INTERFACE_KIND, ("ipsec-tunnels", name, "manual-key", "interface"), text)


def a_tunnel_shares_the_router_of_its_gateway(scope: Scope) -> None:
    interfaces = scope.configuration.interfaces
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        inner, outer_name = interfaces.get(tunnel.tunnel_interface), _outer(scope, tunnel)
        outer = interfaces.get(outer_name) if outer_name else None
        if inner is None or outer is None or not is_tunnel(tunnel.tunnel_interface) or inner.virtual_router is None:
            continue
        if outer.virtual_router is None:
            text = f"{outer_name} lacks its virtual-router: that of {tunnel.tunnel_interface} is {inner.virtual_router}"
            scope.at_key(INTERFACE_UNPLACED, ("interfaces", str(outer_name)), text)
        elif outer.virtual_router != inner.virtual_router:
            text = (
                f"{tunnel.tunnel_interface} belongs to the virtual router {inner.virtual_router}, "
                f"but {outer_name}, which faces the peer, to {outer.virtual_router}"
            )
            scope.at_value(ROUTER_MISMATCH, ("ipsec-tunnels", name, "tunnel-interface"), text)


def names_of_children_fit(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        for proxy in tunnel.proxy_ids:
            child = f"{name}:{proxy}"
            if len(child) > MAX_NAME:
                text = f'"{child}" has {len(child)} characters, {MAX_NAME} at most: tunnel and proxy ID are one name'
                scope.at_key(NAME_TOO_LONG, ("ipsec-tunnels", name, "proxy-ids", proxy), text)


def an_interface_has_so_many_proxy_ids(scope: Scope) -> None:
    counts: dict[str, int] = {}
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        before = counts.get(tunnel.tunnel_interface, 0)
        counts[tunnel.tunnel_interface] = before + len(tunnel.proxy_ids)
        if before <= MAX_PROXY_IDS < counts[tunnel.tunnel_interface]:
            extra = list(tunnel.proxy_ids)[MAX_PROXY_IDS - before]
            text = f"more than {MAX_PROXY_IDS} proxy IDs on {tunnel.tunnel_interface}"
            scope.at_key(TOO_MANY_PROXY_IDS, ("ipsec-tunnels", name, "proxy-ids", extra), text)


def a_proxy_id_is_of_one_family(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        for proxy_name, proxy in tunnel.proxy_ids.items():
            if proxy.local.version != proxy.remote.version:
                text = f"{proxy.remote} is IPv{proxy.remote.version}, but local is IPv{proxy.local.version}"
                scope.at_value(FAMILY_MISMATCH, ("ipsec-tunnels", name, "proxy-ids", proxy_name, "remote"), text)


def every_proxy_id_has_traffic_of_its_own(scope: Scope) -> None:
    """The first that matches takes a packet: one that is wholly within an earlier one never gets any."""
    earlier: dict[str, list[tuple[str, TrafficSelector, TrafficSelector]]] = {}
    for child, interface, path, local, remote in _children(scope):
        before = earlier.setdefault(interface, [])
        if len(before) > MAX_PROXY_IDS:
            continue  # that there are too many is said already, and comparing them all would take its time
        for other, other_local, other_remote in before:
            if (local, remote) == (other_local, other_remote):
                text = f"{child} selects the same traffic as {other} on {interface}"
                scope.at_key(DUPLICATE_PROXY_ID, path, text)
                break
            if other_local.contains(local) and other_remote.contains(remote):
                text = f"{child} never gets a packet: {other}, which comes before it, takes all of its traffic"
                scope.at_key(SHADOWED_PROXY_ID, path, text)
                break
        before.append((child, local, remote))


def a_monitored_interface_has_an_address(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        interface = scope.configuration.interfaces.get(tunnel.tunnel_interface)
        if tunnel.monitor is None or interface is None:
            continue
        family = tunnel.monitor.destination.version
        if not any(address.version == family for address in interface.address):
            kind = f"IPv{family} " if interface.address else ""
            text = f"{tunnel.tunnel_interface} has no {kind}address to send the probes from"
            scope.at_value(MONITOR_ADDRESS, ("ipsec-tunnels", name, "monitor", "destination"), text)


def a_monitor_names_a_proxy_id_of_its_tunnel(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        proxy = tunnel.monitor.proxy_id if tunnel.monitor else None
        if proxy is not None and proxy not in tunnel.proxy_ids:
            text = f'"{proxy}" is not a proxy ID of {name}'
            path = ("ipsec-tunnels", name, "monitor", "proxy-id")
            scope.at_value(UNKNOWN_NAME, path, text, nearest(proxy, tunnel.proxy_ids))


def manual_encryption_has_its_key(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        esp = tunnel.manual_key.esp if tunnel.manual_key else None
        if esp is None:
            continue
        path = ("ipsec-tunnels", name, "manual-key", "esp")
        if (esp.encryption.key is None) != (esp.encryption.algorithm == "null"):
            text = f"{esp.encryption.algorithm} {'needs a key' if esp.encryption.key is None else 'has no key'}"
            scope.at_key(ALGORITHMS, (*path, "encryption"), text)
        if esp.encryption.algorithm == "null" and esp.authentication is None:
            scope.at_key(ALGORITHMS, path, "null encryption without authentication protects nothing")


def _outer(scope: Scope, tunnel: IpsecTunnel) -> str | None:
    if tunnel.manual_key is not None:
        return tunnel.manual_key.interface
    gateway = scope.configuration.ike_gateways.get(tunnel.ike_gateway or "")
    return gateway.interface if gateway else None


def _children(scope: Scope) -> Iterator[tuple[str, str, Path, TrafficSelector, TrafficSelector]]:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        if tunnel.disabled:
            continue
        if not tunnel.proxy_ids:
            yield name, tunnel.tunnel_interface, ("ipsec-tunnels", name), ANY_IPV4, ANY_IPV4
        for proxy_name, proxy in tunnel.proxy_ids.items():
            path = ("ipsec-tunnels", name, "proxy-ids", proxy_name)
            yield f"{name}:{proxy_name}", tunnel.tunnel_interface, path, *selectors_of(proxy)


RULES = (
    a_tunnel_uses_a_tunnel_interface,
    a_tunnel_shares_the_router_of_its_gateway,
    names_of_children_fit,
    an_interface_has_so_many_proxy_ids,
    a_proxy_id_is_of_one_family,
    every_proxy_id_has_traffic_of_its_own,
    a_monitored_interface_has_an_address,
    a_monitor_names_a_proxy_id_of_its_tunnel,
    manual_encryption_has_its_key,
)
