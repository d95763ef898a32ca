"""How a negotiation that was asked for ended, on the screen and as exit status."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from isthmus.cli.exit import ExitStatus
from isthmus.cli.screen import Row, console, plain, state

Timeout = Annotated[float, typer.Option(min=0.1, max=300, help="Seconds to wait for the outcome.")]

_STATUS = {
    "up": ExitStatus.DONE,
    "already-up": ExitStatus.DONE,
    "refused": ExitStatus.PEER_REFUSED,
    "timed-out": ExitStatus.TIMED_OUT,
}

_GRAVEST_FIRST = (ExitStatus.FAILED, ExitStatus.PEER_REFUSED, ExitStatus.TIMED_OUT)


def report(outcomes: Sequence[Row], *, as_json: bool) -> None:
    """Prints each and leaves with the status of the gravest."""
    if as_json:
        print(json.dumps(outcomes, indent=2))
    else:
        for outcome in outcomes:
            _print(outcome)
    statuses = {_STATUS.get(outcome["result"], ExitStatus.FAILED) for outcome in outcomes}
    for status in _GRAVEST_FIRST:
        if status in statuses:
            raise typer.Exit(status)


def _print(outcome: Row) -> None:
    screen = console()
    screen.print(plain(outcome["name"], "bold"), state(outcome["result"]), plain(outcome["reason"] or ""))
    screen.print(plain(f"  {outcome['text']}"))
    for side, words in (("they said", outcome["they_said"]), ("we said", outcome["we_said"])):
        for index, word in enumerate(words):
            screen.print(plain(f"  {side if index == 0 else '':<9}  {word}"))
