"""A group of verbs that imports a verb's module only when the verb is called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperGroup

from isthmus.cli.exit import Failure


class Verb(NamedTuple):
    """Where a verb lives, and what it does: so that help imports none of them."""

    where: str
    """`module:attribute`, a function or a Typer app."""
    does: str


class LazyVerbs(TyperGroup):
    """Subclasses name their verbs."""

    verbs: ClassVar[dict[str, Verb]]

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.verbs)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        verb = self.verbs.get(cmd_name)
        return None if verb is None else _loaded(cmd_name, verb.where)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.does) for name, verb in self.verbs.items()])

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            sys.stdout.flush()
            print(f"isthmus: {failure.text}", file=sys.stderr)
            raise typer.Exit(failure.status) from None


def _loaded(name: str, where: str) -> Any:
    module, _, attribute = where.partition(":")
    verb = getattr(import_module(module), attribute)
    if isinstance(verb, typer.Typer):
        group = typer.main.get_command(verb)
        group.name = name
        return group
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name)(verb)
    return typer.main.get_command(single)
