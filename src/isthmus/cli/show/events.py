"""`isthmus show events`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.client import Client
from isthmus.cli.exit import ExitStatus, Failure
from isthmus.cli.screen import Json, Row, console, plain, show, state, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

FOLLOW_EVERY = 0.5
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Level(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


def events(
    ctx: typer.Context,
    gateway: Annotated[str | None, typer.Option(help="Only of this gateway.")] = None,
    tunnel: Annotated[str | None, typer.Option(help="Only of this tunnel, or tunnel:proxy-id.")] = None,
    code: Annotated[str | None, typer.Option(help="Only of this code, `child.installed`, or kind, `child`.")] = None,
    level: Annotated[Level, typer.Option(help="At least so severe.")] = Level.INFO,
    since: Annotated[str | None, typer.Option(help="Only of the last 45s, 30m, 8h or 7d.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Only with numbers greater than this one.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=2000, help="The newest so many.")] = 100,
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Print new events as they happen, until interrupted.")] = False,
) -> None:
    """What happened, oldest first."""
    begin = None if since is None else time.time() - _seconds(since)

    def read(number: int) -> list[Row]:
        return Client(ctx.obj).rows(
            "/v1/events",
            gateway=gateway,
            tunnel=tunnel,
            code=code,
            severity=level.value,
            since=begin,
            after=number,
            limit=limit,
        )

    if watch:
        _follow(read, after, as_json=as_json)
    else:
        show(lambda: read(after), _table, as_json=as_json, watch=False)


def _follow(read: Callable[[int], list[Row]], number: int, *, as_json: bool) -> None:
    screen = console()
    try:
        while True:
            for row in read(number):
                number = row["number"]
                if as_json:
                    print(json.dumps(row, separators=(",", ":")), flush=True)
                else:
                    screen.print(*_cells(row))
            time.sleep(FOLLOW_EVERY)
    except KeyboardInterrupt:
        return


def _table(rows: list[Row]) -> RenderableType:
    return table((">NO", "AT (UTC)", "LEVEL", "CODE", "WHAT"), [_cells(row) for row in rows], "There is no such event.")


def _cells(row: Row) -> list[str | Text]:
    at = row["at"].replace("T", " ").removesuffix("Z")
    return [str(row["number"]), at, state(row["severity"]), row["code"], plain(row["text"])]


def _seconds(text: str) -> float:
    unit = _UNITS.get(text[-1:])
    if unit is None or not text[:-1].isdecimal():
        raise Failure(ExitStatus.USAGE, f"--since {text}: a duration is 45s, 30m, 8h or 7d")
    return int(text[:-1]) * unit
