"""`isthmus test`: negotiate now, wait, tell the truth."""

from __future__ import annotations

import typer

from isthmus.cli.client import Client
from isthmus.cli.outcome import Timeout, report
from isthmus.cli.screen import Json
from isthmus.cli.words import GatewayWords, TunnelWords, required

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
vpn = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def kinds() -> None:
    """Negotiate now and wait for the outcome. Exit status 8: the two sides do not agree; 7: no answer in time."""


@app.command("ike-sa")
@vpn.command("ike-sa")
def ike_sa(ctx: typer.Context, words: GatewayWords = None, timeout: Timeout = 30.0, as_json: Json = False) -> None:
    """Bring up the IKE SA with a gateway."""
    report(Client(ctx.obj).order("test", "ike-sa", required(words, "gateway"), wait=timeout), as_json=as_json)


@app.command("ipsec-sa")
@vpn.command("ipsec-sa")
def ipsec_sa(ctx: typer.Context, words: TunnelWords = None, timeout: Timeout = 30.0, as_json: Json = False) -> None:
    """Bring up a tunnel, or one of its proxy IDs, and the IKE SA below it."""
    report(Client(ctx.obj).order("test", "ipsec-sa", required(words, "tunnel"), wait=timeout), as_json=as_json)


app.add_typer(vpn, name="vpn", help="The same, spelt as `test vpn ...` of other gateways.")
