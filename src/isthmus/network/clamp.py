"""TCP MSS clamping on the tunnels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from isthmus.network.nftables import Object, Table

TABLE = Table("isthmus")
CHAIN = "clamp"
INTERFACES = "tunnels"


def objects(interfaces: Iterable[str]) -> Iterator[Object]:
    """Clamp on exactly these interfaces."""
    yield {"set": {"name": INTERFACES, "type": "ifname", "elem": sorted(interfaces)}}
    yield {"chain": {"name": CHAIN, "type": "filter", "hook": "forward", "prio": -150, "policy": "accept"}}
    for direction in ("oifname", "iifname"):
        yield {"rule": {"chain": CHAIN, "expr": _clamp(direction)}}


def _clamp(direction: str) -> list[dict[str, Any]]:
    """For a SYN into or out of a tunnel: its MSS becomes at most what the routes of both directions carry."""
    flags = {"payload": {"protocol": "tcp", "field": "flags"}}
    return [
        {"match": {"op": "==", "left": {"meta": {"key": direction}}, "right": f"@{INTERFACES}"}},
        {"match": {"op": "==", "left": {"&": [flags, ["syn", "rst"]]}, "right": "syn"}},
        {"mangle": {"key": {"tcp option": {"name": "maxseg", "field": "size"}}, "value": {"rt": {"key": "mtu"}}}},
    ]
