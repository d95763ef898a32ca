"""`isthmus enable` and `isthmus disable`: a tunnel's switch, as long as the gateway runs."""

from __future__ import annotations

import json

import typer

from isthmus.cli.client import Client
from isthmus.cli.screen import Json, console, plain
from isthmus.cli.words import TunnelWords, required


def enable(ctx: typer.Context, words: TunnelWords = None, as_json: Json = False) -> None:
    """Let a tunnel come up again."""
    _switch(ctx, "enable", required(words, "tunnel"), as_json=as_json)


def disable(ctx: typer.Context, words: TunnelWords = None, as_json: Json = False) -> None:
    """Take a tunnel down and keep it down, whatever is configured meanwhile, until it is enabled again.

    A restart of the gateway forgets it.
    """
    _switch(ctx, "disable", required(words, "tunnel"), as_json=as_json)


def _switch(ctx: typer.Context, verb: str, tunnel: str, *, as_json: bool) -> None:
    switched = Client(ctx.obj).order(verb, tunnel)
    if as_json:
        print(json.dumps(switched, indent=2))
        return
    word = "enabled" if switched["enabled"] else "disabled"
    console().print(plain(f"{tunnel} is {word}{'' if switched['changed'] else ' already'}."))
