"""The log: each event as a line on stderr, for people or as JSON.

Every line carries the code, the peer, the IKE SA and the child, so that one tunnel's story can be picked out of many.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TextIO

import structlog

from isthmus.events.event import Event, Severity
from isthmus.observe.fields import child_of, particulars, plain, printable
from isthmus.observe.journal import RANK

_COLOURS = {
    Severity.DEBUG: "\x1b[2m",
    Severity.INFO: "",
    Severity.NOTICE: "\x1b[1m",
    Severity.WARNING: "\x1b[33m",
    Severity.ERROR: "\x1b[31m",
}
_PLAIN = "\x1b[0m"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def format_for(stream: TextIO) -> LogFormat:
    """Text for a terminal, JSON lines for whatever else reads."""
    return LogFormat.TEXT if stream.isatty() else LogFormat.JSON


class EventLog:
    """Writes events of a severity and above. A reader that went away never stops the gateway."""

    def __init__(
        self,
        stream: TextIO | None = None,
        form: LogFormat | None = None,
        level: Severity = Severity.INFO,
        wall: Callable[[], float] = time.time,
    ) -> None:
        stream = stream or sys.stderr
        form = form or format_for(stream)
        render = _as_json if form is LogFormat.JSON else _Text(colour=stream.isatty())
        self.level = level
        self._wall: Final = wall
        self._logger: Final = structlog.wrap_logger(
            structlog.PrintLogger(stream), processors=[render], wrapper_class=structlog.BoundLogger
        )

    def record(self, event: Event) -> None:
        """One event, one line."""
        if RANK[event.severity] < RANK[self.level]:
            return
        self._write(
            event.severity,
            event.code,
            event.tell(),
            peer=event.peer,
            ike=event.ike,
            child=child_of(event),
            fields=particulars(event),
        )

    def say(self, severity: Severity, code: str, text: str, **fields: object) -> None:
        """A line about the process itself: what it listens on, which signal it got."""
        if RANK[severity] >= RANK[self.level]:
            self._write(severity, code, text, fields={key: plain(value) for key, value in fields.items()})

    def _write(self, severity: Severity, code: str, text: str, **rest: Any) -> None:
        try:
            self._logger.msg(text, wall=self._wall(), severity=severity, code=code, **rest)
        except (OSError, ValueError):
            # A closed pipe or a full disk: nobody is left to be told.
            return


def timestamp(wall: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_json(_logger: object, _method: str, line: MutableMapping[str, Any]) -> str:
    record = {
        "at": timestamp(line["wall"]),
        "severity": line["severity"].value,
        "code": line["code"],
        "peer": line.get("peer"),
        "ike": line.get("ike"),
        "child": line.get("child"),
        "text": line["event"],
        "fields": line.get("fields") or {},
    }
    return json.dumps(record, ensure_ascii=True, separators=(",", ":"))


class _Text:
    """`2026-11-23 14:02:11.123 warning  negotiation.failed  text  [peer=branch child=branch:lan ike=...]`"""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, _logger: object, _method: str, line: MutableMapping[str, Any]) -> str:
        at = datetime.fromtimestamp(line["wall"]).astimezone().isoformat(" ", "milliseconds")[:23]
        severity: Severity = line["severity"]
        about = " ".join(f"{key}={printable(line[key])}" for key in ("peer", "child", "ike") if line.get(key))
        about = f"  [{about}]" if about else ""
        text = f"{at} {severity:<7}  {line['code']:<22}  {printable(line['event'])}{about}"
        return f"{_COLOURS[severity]}{text}{_PLAIN}" if self._colour and _COLOURS[severity] else text
