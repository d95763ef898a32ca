"""Rules about virtual routers, their routes, and security policies."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.config.problems import DUPLICATE, DUPLICATE_ROUTE, ROUTE_WITHOUT_PROXY_ID, ROUTER_MISMATCH
from isthmus.config.rules.scope import Scope, is_tunnel
from isthmus.config.schema.routers import StaticRoute
from isthmus.config.values.network import AddressRange
from isthmus.model.plan import Network


def a_route_leads_out_of_its_own_router(scope: Scope) -> None:
    for router, name, route in _routes(scope):
        interface = scope.configuration.interfaces.get(route.interface)
        if interface is not None and (interface.virtual_router or "default") != router:
            text = (
                f"{route.interface} belongs to the virtual router {interface.virtual_router or 'default'}, not {router}"
            )
            scope.at_value(ROUTER_MISMATCH, ("virtual-routers", router, "static-routes", name, "interface"), text)


def of_two_routes_one_is_better(scope: Scope) -> None:
    seen: dict[tuple[str, Network, int], str] = {}
    for router, name, route in _routes(scope):
        other = seen.setdefault((router, route.destination, route.metric), name)
        if other != name:
            text = (
                f"{route.destination} with metric {route.metric} is already the route {other}: give one another metric"
            )
            scope.at_value(DUPLICATE_ROUTE, ("virtual-routers", router, "static-routes", name, "destination"), text)


def a_route_into_a_tunnel_is_admitted_by_a_proxy_id(scope: Scope) -> None:
    remote: dict[str, list[AddressRange]] = {}
    unlimited: set[str] = set()
    for tunnel in scope.configuration.ipsec_tunnels.values():
        ranges = [proxy.remote for proxy in tunnel.proxy_ids.values()]
        remote.setdefault(tunnel.tunnel_interface, []).extend(ranges)
        if not ranges:
            unlimited.add(tunnel.tunnel_interface)
    for router, name, route in _routes(scope):
        ranges = remote.get(route.interface, [])
        if not is_tunnel(route.interface) or not ranges or route.interface in unlimited:
            continue
        if not any(_overlap(route.destination, admitted) for admitted in ranges):
            text = f"no proxy ID of {route.interface} admits {route.destination}: what is routed there is dropped"
            path = ("virtual-routers", router, "static-routes", name, "destination")
            scope.at_value(ROUTE_WITHOUT_PROXY_ID, path, text)


def a_policy_has_a_name_of_its_own(scope: Scope) -> None:
    seen: set[str] = set()
    for index, policy in enumerate(scope.configuration.security_policies):
        if policy.name in seen:
            text = f'a security policy "{policy.name}" is already defined'
            scope.at_value(DUPLICATE, ("security-policies", index, "name"), text)
        seen.add(policy.name)


def _routes(scope: Scope) -> Iterator[tuple[str, str, StaticRoute]]:
    for router, table in scope.configuration.virtual_routers.items():
        for name, route in table.static_routes.items():
            yield router, name, route


def _overlap(network: Network, admitted: AddressRange) -> bool:
    first, last = int(network.network_address), int(network.broadcast_address)
    return network.version == admitted.version and first <= int(admitted.end) and int(admitted.start) <= last


RULES = (
    a_route_leads_out_of_its_own_router,
    of_two_routes_one_is_better,
    a_route_into_a_tunnel_is_admitted_by_a_proxy_id,
    a_policy_has_a_name_of_its_own,
)
