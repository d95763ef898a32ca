"""`isthmus show gateways`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from isthmus.cli.client import Client
from isthmus.cli.screen import Json, Row, Watch, show, state, table
from isthmus.cli.words import GatewayWords, named

if TYPE_CHECKING:
    from rich.console import RenderableType

_HEADS = ("GATEWAY", "STATE", "VERSION", "LOCAL", "PEER", "LOCAL ID", "PEER ID", "AUTHENTICATION", "PROFILE", "TUNNELS")


def gateways(ctx: typer.Context, words: GatewayWords = None, as_json: Json = False, watch: Watch = False) -> None:
    """Every configured gateway, and the state of its IKE SA."""
    gateway = named(words, "name", "gateway")
    show(lambda: Client(ctx.obj).rows("/v1/gateways", gateway=gateway), _table, as_json=as_json, watch=watch)


def _table(rows: list[Row]) -> RenderableType:
    cells = [
        [
            row["gateway"],
            state(row["state"]),
            row["version"] if row["spoken"] in (row["version"], None) else f"{row['version']} ({row['spoken']})",
            f"{row['local']} ({row['interface']})",
            f"{row['peer']}{', passive' if row['passive'] else ''}",
            row["local_id"],
            row["peer_id"] or "its address",
            row["authentication"],
            row["profile"],
            ", ".join(row["tunnels"]) or "-",
        ]
        for row in rows
    ]
    return table(_HEADS, cells, "No gateway is configured.")
