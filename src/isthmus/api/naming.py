"""Names that come in over the API, looked up in the running plan."""

from __future__ import annotations

from isthmus.api.refusal import Refused, not_found
from isthmus.model.plan import ChildPlan, PeerPlan, Plan, TunnelPlan


def gateway_named(plan: Plan, name: str) -> PeerPlan:
    """The peer of that name; refuses with suggestions."""
    peer = plan.peers.get(name)
    if peer is None:
        raise not_found("gateway", name, plan.peers)
    return peer


def tunnel_named(plan: Plan, name: str) -> TunnelPlan:
    """The tunnel of that name; refuses with suggestions."""
    tunnel = plan.tunnels.get(name)
    if tunnel is None and name in plan.manual:
        raise Refused(409, "manual-key", f"{name} has keys by hand: there is nothing to negotiate, and nobody to do it")
    if tunnel is None:
        raise not_found("tunnel", name, (*plan.tunnels, *plan.manual))
    return tunnel


def children_named(plan: Plan, name: str) -> tuple[ChildPlan, ...]:
    """All children of `TUNNEL`, or the one of `TUNNEL:PROXY-ID`."""
    tunnel_name, colon, proxy_id = name.partition(":")
    tunnel = tunnel_named(plan, tunnel_name)
    if not colon:
        return tunnel.children
    for child in tunnel.children:
        if child.proxy_id == proxy_id:
            return (child,)
    raise not_found("proxy ID", proxy_id, (child.proxy_id for child in tunnel.children if child.proxy_id))
