"""`isthmus status`: the gateway on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from isthmus.cli.client import Client
from isthmus.cli.screen import Json, Row, Watch, plain, show, state, table
from isthmus.cli.spell import span

if TYPE_CHECKING:
    from rich.console import RenderableType


def status(ctx: typer.Context, as_json: Json = False, watch: Watch = False) -> None:
    """The gateway on one screen: peers, tunnels, and the last trouble."""
    show(lambda: Client(ctx.obj).record("/v1/status"), draw, as_json=as_json, watch=watch)


def draw(overview: Row) -> RenderableType:
    from rich.console import Group

    up, configured = overview["tunnels_up"], overview["tunnels_configured"]
    style = "green" if up == configured else "red" if up == 0 else "yellow"
    head = plain(f"Isthmus {overview['version']}, running for {span(overview['uptime'])}   ")
    head.append(f"{up}/{configured} tunnels up", style)
    head.append(f"   {overview['gateways_established']}/{overview['gateways_configured']} gateways")
    return Group(head, plain(""), *_sites(overview), *_trouble(overview))


def _sites(overview: Row) -> list[RenderableType]:
    children: dict[str, list[Row]] = {}
    for tunnel in overview["tunnels"]:
        children.setdefault(tunnel["gateway"], []).append(tunnel)
    rows = []
    for gateway in overview["gateways"]:
        mine = children.get(gateway["gateway"], [])
        count = f"{sum(row['state'] == 'up' for row in mine)}/{len(mine)}"
        reasons = dict.fromkeys(row["reason"] for row in mine if row["state"] != "up" and row["reason"])
        rows.append([gateway["gateway"], gateway["peer"], state(gateway["state"]), count, "; ".join(reasons)])
    return [table(("GATEWAY", "PEER", "IKE SA", "TUNNELS", "REASON"), rows, "No gateway is configured.")]


def _trouble(overview: Row) -> list[RenderableType]:
    if not overview["trouble"]:
        return []
    rows = [[row["at"][:19].replace("T", " "), state(row["severity"]), row["text"]] for row in overview["trouble"]]
    return [plain(""), table(("LAST TROUBLE (UTC)", "", ""), rows, "")]
