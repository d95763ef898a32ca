"""Tunnels that an operator has taken down by hand, and a configuration that is read again."""

from __future__ import annotations

from dataclasses import replace

from isthmus.model.plan import Plan


def still_switched(found: Plan, running: Plan) -> Plan:
    """Whoever took a tunnel down wants it down, whatever is configured meanwhile: until it is enabled again."""
    down = {name for name, tunnel in running.tunnels.items() if not tunnel.enabled}
    tunnels = {name: replace(tunnel, enabled=name not in down) for name, tunnel in found.tunnels.items()}
    return replace(found, tunnels=tunnels) if down else found
