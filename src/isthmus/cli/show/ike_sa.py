"""`isthmus show ike-sa`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from isthmus.cli.client import Client
from isthmus.cli.screen import Json, Row, Watch, details, show, state, table
from isthmus.cli.spell import age, span
from isthmus.cli.words import GatewayWords, named

if TYPE_CHECKING:
    from rich.console import RenderableType

_HEADS = ("GATEWAY", "STATE", "ROLE", "LOCAL", "REMOTE", "SUITE", "NAT", ">AGE", ">REKEY IN", "CHILDREN")


def ike_sa(ctx: typer.Context, words: GatewayWords = None, as_json: Json = False, watch: Watch = False) -> None:
    """IKE SAs: all, or in detail those with one gateway."""
    gateway = named(words, "detail", "gateway")
    show(
        lambda: Client(ctx.obj).rows("/v1/ike-sa", gateway=gateway),
        lambda rows: _detail(rows, gateway) if gateway else _table(rows),
        as_json=as_json,
        watch=watch,
    )


def _table(rows: list[Row]) -> RenderableType:
    cells = [
        [
            row["gateway"] or "-",
            state(row["state"]),
            row["role"],
            row["local"],
            row["remote"],
            suite(row),
            row["nat"],
            age(row["established_at"]),
            span(row["rekey_in"]),
            ", ".join(row["children"]) or "-",
        ]
        for row in rows
    ]
    return table(_HEADS, cells, "There is no IKE SA.")


def _detail(rows: list[Row], gateway: str) -> RenderableType:
    return details([_block(row) for row in rows], f"There is no IKE SA with {gateway}.")


def _block(row: Row) -> list[tuple[str, str]]:
    return [
        ("gateway", f"{row['gateway']} ({row['version']}, {row['role']})"),
        ("state", f"{row['state']}, established {row['established_at'] or '-'}"),
        ("path", f"{row['local']} - {row['remote']}, NAT: {row['nat']}"),
        ("identities", f"{row['local_id'] or '-'} - {row['remote_id'] or '-'}"),
        ("SPIs", f"initiator {row['initiator_spi']}, responder {row['responder_spi']}"),
        ("suite", suite(row)),
        ("next", f"rekey in {span(row['rekey_in'])}, re-authentication in {span(row['reauth_in'])}"),
        ("children", ", ".join(row["children"]) or "-"),
        ("announces", ", ".join(row["vendors"]) or "-"),
    ]


def suite(row: Row) -> str:
    """The algorithms in one word, as the configuration spells them."""
    return "/".join(row[key] for key in ("encryption", "integrity", "prf", "dh_group") if row.get(key)) or "-"
