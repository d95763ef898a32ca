"""Names of gateways and tunnels on the command line: bare, or after the word that the reference product puts first."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import typer

from isthmus.cli.client import Client
from isthmus.cli.exit import ExitStatus, Failure

COMPLETION_WAIT = 1.0


def _complete_gateway(ctx: typer.Context, incomplete: str) -> list[str]:
    return _known(ctx, "/v1/gateways", "gateway", incomplete)


def _complete_tunnel(ctx: typer.Context, incomplete: str) -> list[str]:
    return _known(ctx, "/v1/tunnels", "tunnel", incomplete)


def _known(ctx: typer.Context, path: str, key: str, incomplete: str) -> list[str]:
    """Names that the running gateway knows; none when it does not run."""
    socket = ctx.find_root().params.get("socket")
    try:
        rows: list[dict[str, Any]] = Client(socket).rows(path) if socket else []
    except Failure:
        return []
    return sorted({row[key] for row in rows if row[key].startswith(incomplete)})


GatewayWords: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[[gateway] GATEWAY]", autocompletion=_complete_gateway, show_default=False),
]
TunnelWords: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[[tunnel] TUNNEL[:PROXY-ID]]", autocompletion=_complete_tunnel, show_default=False),
]


def named(words: list[str] | None, *before: str) -> str | None:
    """The name at the end of the words; None if there are none. Words of `before` may stand in front of it."""
    match words:
        case None | []:
            return None
        case [name] if name not in before:
            return name
        case [*front, name] if front and all(word in before for word in front):
            return name
        case _:
            raise Failure(ExitStatus.USAGE, f"expected a name, or `{before[-1]} NAME`, not `{' '.join(words)}`")


def required(words: list[str] | None, *before: str) -> str:
    """The same, where a name must be given."""
    name = named(words, *before)
    if name is None:
        raise Failure(ExitStatus.USAGE, f"the name of a {before[-1]} is missing")
    return name
