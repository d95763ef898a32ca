"""TCP MSS clamping on the tunnels, in an nftables table of our own that is replaced or removed as a whole."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from typing import Any

FAMILY = "inet"
TABLE = "isthmus"
CHAIN = "clamp"
INTERFACES = "tunnels"
TIME_LIMIT = 10
"""Seconds; nft answers within milliseconds unless the kernel is in trouble."""

_NFT_PLACES = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin"
_TABLE = {"table": {"family": FAMILY, "name": TABLE}}


class NftRefusal(Exception):
    """nft is not there, or did not do it; nothing was changed."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def replace(interfaces: Iterable[str]) -> None:
    """Clamp on exactly these interfaces."""
    _run(ruleset(interfaces))


def remove() -> bool:
    """Removes the table, and says whether there was one."""
    if not present():
        return False
    _run({"nftables": [{"delete": _TABLE}]})
    return True


def present() -> bool:
    """Whether the table stands, from this run or an earlier one."""
    nft = _nft()
    if nft is None:
        return False
    return _call([nft, "list", "table", FAMILY, TABLE], None).returncode == 0


def ruleset(interfaces: Iterable[str]) -> dict[str, Any]:
    """One transaction, in nft's JSON: adding before deleting makes the deletion valid where there was no table."""
    own = {"family": FAMILY, "table": TABLE}
    return {
        "nftables": [
            {"add": _TABLE},
            {"delete": _TABLE},
            {"add": _TABLE},
            {"add": {"set": {**own, "name": INTERFACES, "type": "ifname", "elem": sorted(interfaces)}}},
            {"add": {"chain": {**own, "name": CHAIN, "type": "filter", "hook": "forward", "prio": -150,
                               "policy": "accept"}}},
            {"add": {"rule": {**own, "chain": CHAIN, "expr": _clamp("oifname")}}},
            {"add": {"rule": {**own, "chain": CHAIN, "expr": _clamp("iifname")}}},
        ]
    }  # fmt: skip


def _clamp(direction: str) -> list[dict[str, Any]]:
    """For a SYN into or out of a tunnel: its MSS becomes at most what the routes of both directions carry."""
    flags = {"payload": {"protocol": "tcp", "field": "flags"}}
    return [
        {"match": {"op": "==", "left": {"meta": {"key": direction}}, "right": f"@{INTERFACES}"}},
        {"match": {"op": "==", "left": {"&": [flags, ["syn", "rst"]]}, "right": "syn"}},
        {"mangle": {"key": {"tcp option": {"name": "maxseg", "field": "size"}}, "value": {"rt": {"key": "mtu"}}}},
    ]


def _run(commands: dict[str, Any]) -> None:
    nft = _nft()
    if nft is None:
        raise NftRefusal("the command nft is not installed")
    done = _call([nft, "-j", "-f", "-"], json.dumps(commands))
    if done.returncode != 0:
        complaint = (done.stderr.strip() or done.stdout.strip() or f"nft ended with {done.returncode}").splitlines()
        raise NftRefusal(complaint[0])


def _call(command: list[str], text: str | None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NftRefusal(str(error)) from error


def _nft() -> str | None:
    # A service's PATH often lacks the sbin directories.
    return shutil.which("nft", path=_NFT_PLACES) or shutil.which("nft")
