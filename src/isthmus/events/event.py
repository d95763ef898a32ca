"""What every fact has in common."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar

from isthmus.model.quantities import Instant


class Severity(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. `code` is stable and documented; `story` is one line with the fields filled in.

    Tests and rules look at the class and its fields, never at the text.
    """

    code: ClassVar[str]
    severity: ClassVar[Severity] = Severity.INFO
    story: ClassVar[str]

    at: Instant
    peer: str | None = None
    """The configured name of the other gateway, once known."""
    ike: str | None = None
    """The IKE SA: `initiator_spi:responder_spi` in hex."""

    def tell(self) -> str:
        """The story, filled in."""
        return self.story.format_map({name: _plain(getattr(self, name)) for name in names_of(self)})


_NAMES: dict[type[Event], tuple[str, ...]] = {}


def names_of(event: Event) -> tuple[str, ...]:
    """The fields that an event of this kind has."""
    kind = type(event)
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in fields(kind))
    return _NAMES[kind]


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return ", ".join(str(v) for v in value) or "nothing"
    return value
