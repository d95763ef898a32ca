"""What verbs print: tables for people, JSON for programs. Nothing of it is read back by anyone but people."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

Row: TypeAlias = dict[str, Any]

Json = Annotated[bool, typer.Option("--json", help="Print JSON, as docs/reference/cli-json.md describes it.")]
Watch = Annotated[bool, typer.Option("--watch", help="Print again every two seconds, until interrupted.")]

WATCH_EVERY = 2.0
WIDE = 400
"""Columns where the output is no terminal: a line is never broken for a program that reads it."""

STATE_STYLES = {
    "up": "green",
    "established": "green",
    "installed": "green",
    "rekeying": "cyan",
    "negotiating": "yellow",
    "connecting": "yellow",
    "installing": "yellow",
    "down": "red",
    "disabled": "dim",
    "deleting": "dim",
    "rekeyed": "dim",
    "warning": "yellow",
    "error": "red",
    "refused": "red",
    "failed": "red",
    "timed-out": "red",
    "already-up": "green",
    "until-rekey": "red",
    "no-traffic": "red",
    "never": "dim",
}


def show(read: Callable[[], Any], draw: Callable[[Any], RenderableType], *, as_json: bool, watch: bool) -> None:
    """Prints what `read` returns, once or again and again; with both options, one JSON document a line."""
    if watch:
        _watch(read, draw, as_json=as_json)
    elif as_json:
        print(json.dumps(read(), indent=2))
    else:
        console().print(draw(read()))


def console() -> Console:
    from rich.console import Console

    return Console(
        file=sys.stdout,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
        width=None if sys.stdout.isatty() else WIDE,
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str | Text]], empty: str) -> RenderableType:
    """Columns without frames. A heading that begins with `>` is a column of numbers."""
    from rich.table import Table

    if not rows:
        return plain(empty)
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        grid.add_column(
            head.removeprefix(">"), justify="right" if head.startswith(">") else "left", overflow="fold", no_wrap=False
        )
    for row in rows:
        grid.add_row(*(plain(cell) if isinstance(cell, str) else cell for cell in row))
    return grid


def details(blocks: Sequence[Sequence[tuple[str, str]]], empty: str) -> RenderableType:
    """One thing after the other, a field a line."""
    from rich.console import Group
    from rich.table import Table

    if not blocks:
        return plain(empty)
    grids: list[RenderableType] = []
    for block in blocks:
        grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for name, value in block:
            grid.add_row(plain(name, "bold"), plain(value))
        grids += [plain("")] if grids else []
        grids.append(grid)
    return Group(*grids)


def plain(text: str, style: str = "") -> Text:
    """Text as it is: no mark-up, no control characters."""
    from rich.text import Text

    return Text("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text), style=style)


def state(word: str) -> Text:
    """A state in its colour."""
    return plain(word, STATE_STYLES.get(word, ""))


def _watch(read: Callable[[], Any], draw: Callable[[Any], RenderableType], *, as_json: bool) -> None:
    try:
        if as_json or not sys.stdout.isatty():
            while True:
                answer = read()
                if as_json:
                    print(json.dumps(answer, separators=(",", ":")), flush=True)
                else:
                    console().print(draw(answer))
                time.sleep(WATCH_EVERY)
        else:
            _live(read, draw)
    except KeyboardInterrupt:
        return


def _live(read: Callable[[], Any], draw: Callable[[Any], RenderableType]) -> None:
    from rich.live import Live

    with Live(draw(read()), console=console(), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(WATCH_EVERY)
            live.update(draw(read()), refresh=True)
