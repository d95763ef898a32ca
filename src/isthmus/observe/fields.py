"""An event as a record of plain values, for JSON: the same in the log and in the API."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from isthmus.events.event import Event, names_of

Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None

COMMON = ("at", "peer", "ike", "child")
"""What every record has in its own place, so that it is not repeated among the particulars."""


def child_of(event: Event) -> str | None:
    """The configured child that an event is about, if it is about one."""
    child = getattr(event, "child", None)
    return child if isinstance(child, str) else None


def particulars(event: Event) -> dict[str, Json]:
    """The fields that this kind of event adds to the common ones."""
    return {name: plain(getattr(event, name)) for name in names_of(event) if name not in COMMON}


def plain(value: object) -> Json:
    """The value as JSON has it; what JSON has no form for appears as its text (a `Secret` as its length)."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return value.hex()
        case tuple() | list() | frozenset() | set():
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case _:
            return str(value)


def printable(text: str) -> str:
    """The text with control characters escaped: a peer's words never steer a terminal or break a line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
