"""`isthmus clear`: delete SAs, politely. A tunnel that is configured to be up comes up again by itself."""

from __future__ import annotations

import json

import typer

from isthmus.cli.client import Client
from isthmus.cli.screen import Json, Row, console, plain
from isthmus.cli.words import GatewayWords, TunnelWords, named

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
vpn = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def kinds() -> None:
    """Delete SAs. Tunnels that are configured to be up come up again by themselves."""


@app.command("ike-sa")
@vpn.command("ike-sa")
def ike_sa(ctx: typer.Context, words: GatewayWords = None, as_json: Json = False) -> None:
    """Delete the IKE SAs with one gateway, or all, and the Child SAs that they carry."""
    _told(Client(ctx.obj).order("clear", "ike-sa", *_name(words, "gateway")), "IKE SA", as_json=as_json)


@app.command("ipsec-sa")
@vpn.command("ipsec-sa")
def ipsec_sa(ctx: typer.Context, words: TunnelWords = None, as_json: Json = False) -> None:
    """Delete the Child SAs of one tunnel or proxy ID, or all."""
    _told(Client(ctx.obj).order("clear", "ipsec-sa", *_name(words, "tunnel")), "Child SA", as_json=as_json)


app.add_typer(vpn, name="vpn", help="The same, spelt as `clear vpn ...` of other gateways.")


def _name(words: list[str] | None, before: str) -> tuple[str, ...]:
    name = named(words, before)
    return () if name is None else (name,)


def _told(cleared: Row, what: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(cleared, indent=2))
        return
    count, names = cleared["count"], ", ".join(cleared["names"])
    text = f"Deleting {count} {what}{'s' if count != 1 else ''}: {names}" if count else f"There is no {what} to delete."
    console().print(plain(text))
