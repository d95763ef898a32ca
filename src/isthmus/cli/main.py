"""`isthmus [--socket PATH] VERB`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

import typer

import isthmus
from isthmus.cli.exit import ExitStatus, Failure
from isthmus.cli.lazy import LazyVerbs

DEFAULT_SOCKET = Path("/run/isthmus/isthmus.sock")


class Verbs(LazyVerbs):
    verbs: ClassVar[dict[str, str]] = {
        "run": "isthmus.cli.run:run",
        "status": "isthmus.cli.status:status",
        "show": "isthmus.cli.show:app",
        "test": "isthmus.cli.test:app",
        "clear": "isthmus.cli.clear:app",
        "rekey": "isthmus.cli.rekey:app",
        "lab": "isthmus.cli.lab:lab",
        "demo": "isthmus.cli.lab:demo",
        "completion": "isthmus.cli.completion:completion",
    }


app = typer.Typer(
    name="isthmus",
    cls=Verbs,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"isthmus {isthmus.__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    socket: Annotated[
        Path, typer.Option(envvar="ISTHMUS_SOCKET", help="Where the running gateway listens.")
    ] = DEFAULT_SOCKET,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Isthmus, an IPsec site-to-site VPN gateway. Without a verb: the status of the running one."""
    ctx.obj = socket
    if ctx.invoked_subcommand is None:
        _status_or_help(ctx)


def _status_or_help(ctx: typer.Context) -> None:
    from isthmus.cli.status import status

    try:
        status(ctx)
    except Failure as failure:
        if failure.status is not ExitStatus.NOT_RUNNING:
            raise
        print(ctx.get_help())


def main() -> None:
    """Entry point."""
    app()
