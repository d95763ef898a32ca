"""What two hosts say to each other in transport mode goes through the tunnel interface, or not at all.

A backstop route to the peer would stop what we seal for it as well. This table tells the two apart, holds after a
crash as backstops do, and refuses what the peer sends unprotected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from isthmus.model.address import IKE_PORT, NAT_T_PORT, Address
from isthmus.network.nftables import Object, Table

TABLE = Table("isthmus-guard")
_SEALED = ["esp", "ah"]
_NEIGHBOURS = ["nd-neighbor-solicit", "nd-neighbor-advert"]
"""RFC 4861: unprotected, they find where on the link the peer is."""
_CHAINS = {
    "leaving": ("output", "oifname", "saddr", "daddr", "sport"),
    "arriving": ("input", "iifname", "daddr", "saddr", "dport"),
}
"""For each: its hook, the interface, where our address and the peer's stand, and our port."""


@dataclass(frozen=True, slots=True, order=True)
class Guarded:
    """Two hosts, and the tunnel interface between them."""

    interface: str
    local: Address
    remote: Address


def objects(pairs: Collection[Guarded]) -> Iterator[Object]:
    """Refuse between these hosts what is not sealed, does not seal (IKE), and does not pass the tunnel interface."""
    for chain, (hook, interface, ours, theirs, port) in _CHAINS.items():
        yield {"chain": {"name": chain, "type": "filter", "hook": hook, "prio": 0, "policy": "accept"}}
        yield _rule(chain, _is({"meta": {"key": "l4proto"}}, {"set": _SEALED}), {"accept": None})
        yield _rule(chain, _is(_field("udp", port), {"set": [IKE_PORT, NAT_T_PORT]}), {"accept": None})
        yield _rule(chain, _is(_field("icmpv6", "type"), {"set": _NEIGHBOURS}), {"accept": None})
        for pair in sorted(pairs, key=str):
            version = "ip" if pair.local.version == 4 else "ip6"
            yield _rule(
                chain,
                _is({"meta": {"key": interface}}, pair.interface, "!="),
                _is(_field(version, ours), str(pair.local)),
                _is(_field(version, theirs), str(pair.remote)),
                {"counter": None},
                {"drop": None},
            )


def _rule(chain: str, *expressions: Object) -> Object:
    return {"rule": {"chain": chain, "expr": list(expressions)}}


def _field(protocol: str, name: str) -> Object:
    return {"payload": {"protocol": protocol, "field": name}}


def _is(left: Object, right: Any, op: str = "==") -> Object:
    return {"match": {"op": op, "left": left, "right": right}}
