"""`isthmus [--socket PATH] VERB`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

import typer

import isthmus
from isthmus.cli.exit import ExitStatus, Failure
from isthmus.cli.lazy import LazyVerbs, Verb

DEFAULT_SOCKET = Path("/run/isthmus/isthmus.sock")


class Verbs(LazyVerbs):
    verbs: ClassVar[dict[str, Verb]] = {
        "run": Verb("isthmus.cli.run:run", "The gateway in the foreground."),
        "check": Verb("isthmus.cli.check:check", "Every problem of a configuration, with its place."),
        "status": Verb("isthmus.cli.status:status", "The gateway on one screen."),
        "show": Verb("isthmus.cli.show:app", "State: IKE SAs, IPsec SAs, tunnels, gateways, events."),
        "test": Verb("isthmus.cli.test:app", "Negotiate now, wait, tell the truth."),
        "clear": Verb("isthmus.cli.clear:app", "Delete SAs."),
        "rekey": Verb("isthmus.cli.rekey:app", "New keys now, without interruption."),
        "enable": Verb("isthmus.cli.switch:enable", "Let a tunnel come up again."),
        "disable": Verb("isthmus.cli.switch:disable", "Take a tunnel down and keep it down."),
        "lab": Verb("isthmus.cli.lab:lab", "The sites of configuration files as namespaces on this machine."),
        "demo": Verb(
            "isthmus.cli.lab:demo", "Two sites on this machine, a tunnel between them, and proof that it holds."
        ),
        "sim": Verb("isthmus.cli.sim:sim", "The same engine over a simulated network."),
        "schema": Verb("isthmus.cli.schema:schema", "The JSON Schema of the configuration."),
        "completion": Verb("isthmus.cli.completion:completion", "The completion script of a shell."),
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
        # Whether it may be opened is found out by opening it: exit status 6, not 2.
        Path,
        typer.Option(envvar="ISTHMUS_SOCKET", readable=False, help="Where the running gateway listens."),
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
