"""The log: each event as a line on stderr, for people or as JSON.

Every line carries the code, the peer, the IKE SA and the child, so that one tunnel's story can be picked out of many.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TextIO

from isthmus.events.event import Event, Severity
from isthmus.observe.fields import Json, child_of, particulars, plain, printable
from isthmus.observe.journal import RANK

_COLOURS = {
    Severity.DEBUG: "\x1b[2m",
    Severity.INFO: "",
    Severity.NOTICE: "\x1b[1m",
    Severity.WARNING: "\x1b[33m",
    Severity.ERROR: "\x1b[31m",
}
_PLAIN = "\x1b[0m"
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def format_for(stream: TextIO) -> LogFormat:
    """Text for a terminal, JSON lines for whatever else reads."""
    return LogFormat.TEXT if stream.isatty() else LogFormat.JSON


@dataclass(slots=True)
class Line:
    """What one line says, before it has a form."""

    severity: Severity
    code: str
    text: str
    peer: str | None = None
    ike: str | None = None
    child: str | None = None
    fields: dict[str, Json] = field(default_factory=dict)


class EventLog:
    """Writes events of a severity and above. A reader that went away never stops the gateway."""

    def __init__(
        self,
        stream: TextIO | None = None,
        form: LogFormat | None = None,
        level: Severity = Severity.INFO,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._stream: Final = stream or sys.stderr
        form = form or format_for(self._stream)
        self._render: Final = _as_json if form is LogFormat.JSON else _Text(colour=self._stream.isatty())
        self.level = level
        self._wall: Final = wall

    def record(self, event: Event) -> None:
        """One event, one line."""
        if RANK[event.severity] < RANK[self.level]:
            return
        self._write(
            Line(
                event.severity,
                event.code,
                event.tell(),
                peer=event.peer,
                ike=event.ike,
                child=child_of(event),
                fields=particulars(event),
            )
        )

    def say(self, severity: Severity, code: str, text: str, **fields: object) -> None:
        """A line about the process itself: what it listens on, which signal it got."""
        if RANK[severity] >= RANK[self.level]:
            self._write(Line(severity, code, text, fields={key: plain(value) for key, value in fields.items()}))

    def _write(self, line: Line) -> None:
        try:
            self._stream.write(self._render(line, self._wall()) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # A closed pipe or a full disk: nobody is left to be told.
            return


def timestamp(wall: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_json(line: Line, wall: float) -> str:
    record = {
        "at": timestamp(wall),
        "severity": line.severity.value,
        "code": line.code,
        "peer": line.peer,
        "ike": line.ike,
        "child": line.child,
        "text": line.text,
        "fields": line.fields,
    }
    return _encode(record)


class _Text:
    """`2026-11-23 14:02:11.123 warning  negotiation.failed  text  [peer=branch child=branch:lan ike=...]`"""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, line: Line, wall: float) -> str:
        at = datetime.fromtimestamp(wall).astimezone().isoformat(" ", "milliseconds")[:23]
        names = (("peer", line.peer), ("child", line.child), ("ike", line.ike))
        about = " ".join(f"{key}={printable(name)}" for key, name in names if name)
        about = f"  [{about}]" if about else ""
        text = f"{at} {line.severity:<7}  {line.code:<22}  {printable(line.text)}{about}"
        colour = _COLOURS[line.severity] if self._colour else ""
        return f"{colour}{text}{_PLAIN}" if colour else text
