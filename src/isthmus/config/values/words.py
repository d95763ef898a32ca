"""Words out of a list, names, and references to names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from isthmus.config.problems import MALFORMED, NAME_TOO_LONG, OUT_OF_RANGE, UNKNOWN_NAME, UNKNOWN_VALUE
from isthmus.config.values.kind import Context, Kind, fault, shortened, unknown

MAX_NAME = 63
MAX_TUNNEL = 9999

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOST_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,14}")  # the kernel's IFNAMSIZ, without its NUL
_TUNNEL = re.compile(r"tunnel\.(0|[1-9][0-9]{0,8})")


class Choice(Kind):
    """A member of a closed enumeration."""

    def __init__(self, members: type[StrEnum]) -> None:
        self._members = {member.value: member for member in members}

    def read(self, text: str, context: Context) -> StrEnum:
        if text not in self._members:
            raise unknown(UNKNOWN_VALUE, text, self.wanted(), self._members)
        return self._members[text]

    def values(self) -> str:
        return ", ".join(f"`{word}`" for word in self._members)

    def wanted(self) -> str:
        return f"one of {', '.join(self._members)}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._members)}


class OneOf(Kind):
    """A word of a table, and what the table calls its rows."""

    def __init__(self, words: Iterable[str], what: str, also: Iterable[str] = ()) -> None:
        self._words = (*words, *also)
        self._what = what

    def read(self, text: str, context: Context) -> str:
        if text not in self._words:
            raise unknown(UNKNOWN_VALUE, text, self._what, self._words)
        return str(text)

    def values(self) -> str:
        return ", ".join(f"`{word}`" for word in self._words)

    def wanted(self) -> str:
        return self._what

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._words)}


class Name(Kind):
    """A name that the operator chooses."""

    def read(self, text: str, context: Context) -> str:
        if len(text) > MAX_NAME:
            raise fault(NAME_TOO_LONG, f"the name has {len(text)} characters, {MAX_NAME} at most")
        if not _NAME.fullmatch(text):
            guess = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")
            raise fault(MALFORMED, f'"{shortened(text)}" is no name: letters, digits, ".", "_" and "-"', guess or None)
        return str(text)

    def values(self) -> str:
        return f"a name: letters, digits, `.`, `_`, `-`; {MAX_NAME} characters at most"

    def wanted(self) -> str:
        return "a name"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_NAME.pattern}$", "maxLength": MAX_NAME}


class InterfaceName(Kind):
    """An interface of the host, or `tunnel.N`."""

    def read(self, text: str, context: Context) -> str:
        if text.startswith("tunnel."):
            match = _TUNNEL.fullmatch(text)
            if match is None:
                raise fault(MALFORMED, f'"{shortened(text)}": a tunnel interface is tunnel.1 to tunnel.{MAX_TUNNEL}')
            if not 1 <= int(match[1]) <= MAX_TUNNEL:
                raise fault(OUT_OF_RANGE, f"{text} is not from tunnel.1 to tunnel.{MAX_TUNNEL}")
        elif not _HOST_INTERFACE.fullmatch(text):
            raise fault(MALFORMED, f'"{shortened(text)}" cannot be the name of an interface')
        return str(text)

    def values(self) -> str:
        return f"an interface of the host, or `tunnel.1` to `tunnel.{MAX_TUNNEL}`"

    def wanted(self) -> str:
        return "the name of an interface"


class Reference(Kind):
    """A name that is defined in a section of the configuration."""

    def __init__(self, section: str, also: Iterable[str] = ()) -> None:
        self.section = section
        self._also = tuple(also)

    def read(self, text: str, context: Context) -> str:
        if context.names is not None and text not in self._also:
            defined = context.names.get(self.section, frozenset())
            if text not in defined:
                raise unknown(UNKNOWN_NAME, text, f"defined in {self.section}", sorted({*defined, *self._also}))
        return str(text)

    def values(self) -> str:
        also = "".join(f", or `{word}`" for word in self._also if word == "any")
        return f"a name of `{self.section}`{also}"

    def wanted(self) -> str:
        return f"a name of {self.section}"


class Text(Kind):
    """Text as it stands: a path, a URL."""

    def __init__(self, what: str, form: str = r".+", longest: int = 1024) -> None:
        self._what, self._form, self._longest = what, re.compile(form, re.DOTALL), longest

    def read(self, text: str, context: Context) -> str:
        if len(text) > self._longest or not self._form.fullmatch(text):
            raise fault(MALFORMED, f'"{shortened(text)}" is not {self._what}')
        return str(text)

    def values(self) -> str:
        return self._what

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self._longest}
