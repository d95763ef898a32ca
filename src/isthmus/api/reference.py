"""Writes docs/reference/cli-json.md from the models: `python -m isthmus.api.reference > docs/reference/cli-json.md`."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from isthmus.api.asking import Cleared, Switched
from isthmus.api.trial import Outcome
from isthmus.status.rehearsal import (
    CallRow,
    ChildRow,
    MeetingRow,
    ObstacleRow,
    PointRow,
    PositionRow,
    ProblemRow,
    RehearsalRow,
    RemedyRow,
    UnmatchedRow,
)
from isthmus.status.rows import EventRow, GatewayRow, IkeSaRow, IpsecSaRow, Overview, TunnelRow

_INTRODUCTION = """\
# JSON of the commands and of the API

<!-- Written by isthmus.api.reference from the models. Change them, then run `python -m isthmus.api.reference`. -->

Every verb that reads takes `--json` and prints what the API answers. Fields may be added; none is renamed, removed or
given another type. Times are ISO 8601 in UTC, spans are whole seconds, SPIs are hex strings, algorithms are spelt as in
the configuration, and `null` means that there is no such thing (yet).

The API is HTTP on a UNIX socket that only its owner may open, `/run/isthmus/isthmus.sock` unless `run --socket` says
otherwise:

    curl --unix-socket /run/isthmus/isthmus.sock http://localhost/v1/tunnels

Requests have no body. A refusal is `{"code": ..., "text": ...}` with an HTTP status of 400 and above. `GET /metrics`
answers in the format of Prometheus or OpenMetrics.

## Exit statuses

| status | means | HTTP |
|---|---|---|
| 0 | done | 2xx |
| 1 | failed | 409 and others |
| 2 | usage | 400 |
| 3 | not running: nothing answers on the socket | |
| 4 | not found: no gateway or tunnel has that name | 404 |
| 5 | configuration invalid | |
| 6 | no permission on the socket | |
| 7 | timed out, or the peer does not answer | |
| 8 | the peer refused: the two sides do not agree | |
"""


@dataclass(frozen=True, slots=True)
class _Answer:
    command: str
    request: str
    filters: str
    shape: str
    model: type


_LIST = "a list of"

_ANSWERS = (
    _Answer("isthmus status --json", "GET /v1/status", "", "one", Overview),
    _Answer("isthmus show ike-sa [GATEWAY] --json", "GET /v1/ike-sa", "gateway", _LIST, IkeSaRow),
    _Answer("isthmus show ipsec-sa [TUNNEL[:PROXY-ID]] --json", "GET /v1/ipsec-sa", "tunnel", _LIST, IpsecSaRow),
    _Answer("isthmus show tunnels [TUNNEL[:PROXY-ID]] --json", "GET /v1/tunnels", "tunnel", _LIST, TunnelRow),
    _Answer("isthmus show gateways [GATEWAY] --json", "GET /v1/gateways", "gateway", _LIST, GatewayRow),
    _Answer(
        "isthmus show events --json",
        "GET /v1/events",
        "gateway, tunnel, ike, code, severity, since (seconds since the epoch), after, limit",
        _LIST,
        EventRow,
    ),
    _Answer(
        "isthmus test ike-sa GATEWAY --json, isthmus test ipsec-sa TUNNEL[:PROXY-ID] --json, "
        "isthmus rekey ike-sa GATEWAY [--reauthenticate] --json, isthmus rekey ipsec-sa TUNNEL[:PROXY-ID] --json",
        "POST /v1/test/ike-sa/GATEWAY, POST /v1/test/ipsec-sa/TUNNEL, "
        "POST /v1/rekey/ike-sa/GATEWAY, POST /v1/reauthenticate/GATEWAY, POST /v1/rekey/ipsec-sa/TUNNEL",
        "timeout (seconds)",
        _LIST,
        Outcome,
    ),
    _Answer(
        "isthmus clear ike-sa [GATEWAY] --json, isthmus clear ipsec-sa [TUNNEL[:PROXY-ID]] --json",
        "POST /v1/clear/ike-sa[/GATEWAY], POST /v1/clear/ipsec-sa[/TUNNEL]",
        "",
        "one",
        Cleared,
    ),
    _Answer(
        "isthmus enable TUNNEL --json, isthmus disable TUNNEL --json",
        "POST /v1/enable/TUNNEL, POST /v1/disable/TUNNEL",
        "",
        "one",
        Switched,
    ),
    _Answer("isthmus check FILE... --json", "", "", _LIST, ProblemRow),
    _Answer("isthmus check FILE --peer FILE --json", "", "", "one", RehearsalRow),
)

_PARTS = (MeetingRow, CallRow, ChildRow, ObstacleRow, PointRow, PositionRow, RemedyRow, UnmatchedRow)
"""Rows that only occur within others."""


def page() -> str:
    """The whole page."""
    answers = (line for answer in _ANSWERS for line in _section(answer))
    parts = (line for part in _PARTS for line in (*_heading(part), *_fields(part)))
    return "\n".join([_INTRODUCTION, *answers, *parts])


def _section(answer: _Answer) -> Iterator[str]:
    yield from _heading(answer.model)
    yield f"* Commands: {_code(answer.command)}"
    if answer.request:
        yield f"* API: {_code(answer.request)}" + (f"; query: {answer.filters}" if answer.filters else "")
    yield f"* Answer: {answer.shape} `{answer.model.__name__}`"
    yield ""
    yield from _fields(answer.model)


def _heading(model: type) -> Iterator[str]:
    yield f"## {model.__name__}"
    yield ""
    yield f"{(model.__doc__ or '').strip()}"
    yield ""


def _fields(model: type) -> Iterator[str]:
    yield "| field | type | meaning |"
    yield "|---|---|---|"
    for name, hint in get_type_hints(model, include_extras=True).items():
        kind, *meaning = get_args(hint)
        yield f"| `{name}` | {_type(kind)} | {' '.join(str(m) for m in meaning)} |"
    yield ""


def _code(texts: str) -> str:
    return ", ".join(f"`{text}`" for text in texts.split(", "))


def _type(kind: Any) -> str:
    if get_origin(kind) in (types.UnionType, Union):
        return " or ".join(_type(part) for part in get_args(kind))
    if get_origin(kind) is list:
        return f"list of {_type(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return "object"
    return {str: "string", int: "integer", bool: "boolean", types.NoneType: "null"}.get(kind, f"`{kind.__name__}`")


if __name__ == "__main__":
    print(page(), end="")
