"""What stands between two gateways in the wild: address translation, small packets only, no fragments."""

from __future__ import annotations

import itertools
import json
import subprocess

from pyroute2 import NFCTSocket

from isthmus.lab.namespaces import Namespace
from tests.interop.bench import Bench

_PORTS = itertools.count(20000, 1000)


def translate(bench: Bench) -> None:
    """Hides the left behind the middle, at ports of its own choice. Done again: at other ports, for new mappings."""
    first = next(_PORTS)
    _rules(
        bench.middle,
        "nat",
        f"""
        chain leaving {{
            type nat hook postrouting priority 100
            oifname right meta l4proto udp masquerade to :{first}-{first + 999}
            oifname right masquerade
        }}
        """,
    )


def forget_mappings(bench: Bench) -> None:
    """The router loses what it knows, and would give the next packet another port."""
    translate(bench)
    with bench.middle.inside():
        connections = NFCTSocket()
        try:
            connections.flush()
        finally:
            connections.close()


def mapped_ports(bench: Bench) -> set[int]:
    """Where the right sees the left's UDP come from."""
    with bench.middle.inside():
        connections = NFCTSocket()
        try:
            return {
                entry.get_attr("CTA_TUPLE_REPLY").get_attr("CTA_TUPLE_PROTO").get_attr("CTA_PROTO_DST_PORT")
                for entry in connections.dump()
            }
        finally:
            connections.close()


def refuse_fragments(where: Namespace) -> None:
    """Drops every piece of a fragmented IP packet as it arrives, before the system puts them together."""
    _rules(
        where,
        "pieces",
        """
        chain arriving {
            type filter hook prerouting priority -500
            ip frag-off & 0x3fff != 0 counter drop
            meta nfproto ipv6 exthdr frag exists counter drop
        }
        """,
    )


def fragments_refused(where: Namespace) -> int:
    """How many pieces were dropped so far."""
    listed = json.loads(where.run("nft", "-j", "list", "table", "inet", "pieces").stdout)["nftables"]
    rules = (entry["rule"]["expr"] for entry in listed if "rule" in entry)
    return sum(part["counter"]["packets"] for rule in rules for part in rule if "counter" in part)


def _rules(where: Namespace, table: str, chains: str) -> None:
    """Replaces a table of the namespace."""
    text = f"table inet {table}\ndelete table inet {table}\ntable inet {table} {{{chains}}}\n"
    with where.inside():
        done = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode != 0:
        raise AssertionError(f"nft: {done.stderr}")
