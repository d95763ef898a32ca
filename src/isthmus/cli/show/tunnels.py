"""`isthmus show tunnels`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from isthmus.cli.client import Client
from isthmus.cli.screen import Json, Row, Watch, show, state, table
from isthmus.cli.show.ipsec_sa import child
from isthmus.cli.words import TunnelWords, named

if TYPE_CHECKING:
    from rich.console import RenderableType

_HEADS = ("TUNNEL", "STATE", "INTERFACE", "GATEWAY", "ZONE", "ROUTER", "MONITOR", "REASON")


def tunnels(ctx: typer.Context, words: TunnelWords = None, as_json: Json = False, watch: Watch = False) -> None:
    """Every configured tunnel and proxy ID, up or not, and why not."""
    tunnel = named(words, "name", "tunnel")
    show(lambda: Client(ctx.obj).rows("/v1/tunnels", tunnel=tunnel), _table, as_json=as_json, watch=watch)


def _table(rows: list[Row]) -> RenderableType:
    cells = [
        [
            child(row),
            state(row["state"]),
            row["interface"],
            row["gateway"],
            row["zone"] or "-",
            row["virtual_router"] or "-",
            state(row["monitor"]),
            row["reason"] or "",
        ]
        for row in rows
    ]
    return table(_HEADS, cells, "No tunnel is configured.")
