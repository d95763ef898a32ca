"""A group of verbs that imports a verb's module only when the verb is called, or help lists them all."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

from isthmus.cli.exit import Failure


class LazyVerbs(TyperGroup):
    """Subclasses say where each verb lives: `module:attribute`, a function or a Typer app."""

    verbs: ClassVar[dict[str, str]]

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.verbs)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        where = self.verbs.get(cmd_name)
        return None if where is None else _loaded(cmd_name, where)

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
