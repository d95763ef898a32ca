"""`isthmus rekey`: new keys now, without interruption."""

from __future__ import annotations

from typing import Annotated

import typer

from isthmus.cli.client import Client
from isthmus.cli.outcome import Timeout, report
from isthmus.cli.screen import Json
from isthmus.cli.words import GatewayWords, TunnelWords, required

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Reauthenticate = Annotated[
    bool,
    typer.Option(
        "--reauthenticate", help="Begin anew beside the old one: both prove who they are, and every SA is made again."
    ),
]


@app.callback()
def kinds() -> None:
    """New keys now, without interruption."""


@app.command("ike-sa")
def ike_sa(
    ctx: typer.Context,
    words: GatewayWords = None,
    reauthenticate: Reauthenticate = False,
    timeout: Timeout = 30.0,
    as_json: Json = False,
) -> None:
    """Replace the IKE SA with a gateway; its Child SAs pass to the new one as they are."""
    verb = ("reauthenticate",) if reauthenticate else ("rekey", "ike-sa")
    report(Client(ctx.obj).order(*verb, required(words, "gateway"), wait=timeout), as_json=as_json)


@app.command("ipsec-sa")
def ipsec_sa(ctx: typer.Context, words: TunnelWords = None, timeout: Timeout = 30.0, as_json: Json = False) -> None:
    """Replace the Child SAs of a tunnel, or of one of its proxy IDs."""
    report(Client(ctx.obj).order("rekey", "ipsec-sa", required(words, "tunnel"), wait=timeout), as_json=as_json)
