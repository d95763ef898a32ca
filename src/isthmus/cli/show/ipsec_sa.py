"""`isthmus show ipsec-sa`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from isthmus.cli.client import Client
from isthmus.cli.screen import Json, Row, Watch, details, show, state, table
from isthmus.cli.show.ike_sa import suite
from isthmus.cli.spell import age, size, span
from isthmus.cli.words import TunnelWords, named

if TYPE_CHECKING:
    from rich.console import RenderableType

_HEADS = ("TUNNEL", "STATE", "SPI IN", "SPI OUT", "SUITE", "LOCAL", "REMOTE", ">IN", ">OUT", ">AGE", ">REKEY IN")


def ipsec_sa(ctx: typer.Context, words: TunnelWords = None, as_json: Json = False, watch: Watch = False) -> None:
    """Child SAs: all, or in detail those of one tunnel."""
    tunnel = named(words, "tunnel")
    show(
        lambda: Client(ctx.obj).rows("/v1/ipsec-sa", tunnel=tunnel),
        lambda rows: _detail(rows, tunnel) if tunnel else _table(rows),
        as_json=as_json,
        watch=watch,
    )


def child(row: Row) -> str:
    """`branch:lan`, or `branch` where there is no proxy ID."""
    return f"{row['tunnel']}:{row['proxy_id']}" if row["proxy_id"] else str(row["tunnel"])


def _table(rows: list[Row]) -> RenderableType:
    cells = [
        [
            child(row),
            state(row["state"]),
            row["spi_in"],
            row["spi_out"],
            _protection(row),
            ", ".join(row["local_ts"]),
            ", ".join(row["remote_ts"]),
            size(row["bytes_in"]),
            size(row["bytes_out"]),
            age(row["established_at"]),
            span(row["rekey_in"]),
        ]
        for row in rows
    ]
    return table(_HEADS, cells, "There is no IPsec SA.")


def _protection(row: Row) -> str:
    """The suite, and what is not ESP in tunnel mode."""
    protocol = "AH " if row["protocol"] == "ah" else ""
    return f"{protocol}{suite(row)}{' (transport)' if row['mode'] == 'transport' else ''}"


def _detail(rows: list[Row], tunnel: str) -> RenderableType:
    return details([_block(row) for row in rows], f"There is no IPsec SA of {tunnel}.")


def _block(row: Row) -> list[tuple[str, str]]:
    return [
        ("tunnel", f"{child(row)} to gateway {row['gateway']}" if row["gateway"] else f"{child(row)}, keys by hand"),
        ("state", f"{row['state']}, established {row['established_at']}"),
        ("protocol", f"{row['protocol'].upper()}, {row['mode']} mode, encapsulation {row['encapsulation']}"),
        ("SPIs", f"in {row['spi_in']}, out {row['spi_out']}"),
        ("suite", f"{suite(row)}, {'ESN' if row['esn'] else 'no ESN'}"),
        ("selectors", f"{', '.join(row['local_ts'])} <-> {', '.join(row['remote_ts'])}"),
        ("in", f"{row['packets_in']} packets, {size(row['bytes_in'])}"),
        ("out", f"{row['packets_out']} packets, {size(row['bytes_out'])}"),
        ("dropped", f"{row['replayed']} replayed (window {row['replay_window']}), {row['integrity_failed']} forged"),
        ("next", f"rekey in {span(row['rekey_in'])}, expires in {span(row['expires_in'])}"),
    ]
