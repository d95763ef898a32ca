"""Proxy IDs to traffic selectors. RFC 7296, 3.13.1."""

from __future__ import annotations

from isthmus.config.schema.tunnels import ProxyId
from isthmus.model.selectors import TrafficSelector


def selectors_of(proxy: ProxyId) -> tuple[TrafficSelector, TrafficSelector]:
    """Local and remote."""
    return (
        TrafficSelector(proxy.local.start, proxy.local.end, proxy.protocol, *proxy.local_port),
        TrafficSelector(proxy.remote.start, proxy.remote.end, proxy.protocol, *proxy.remote_port),
    )
