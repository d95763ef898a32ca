"""What every kind of value has in common: text comes in, a typed value or one problem comes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from isthmus.config.problems import MISSING, WRONG_TYPE, Code, nearest


@dataclass(frozen=True, slots=True)
class Context:
    """What a value may be checked against while it is read: the names that are defined, by section."""

    names: Mapping[str, frozenset[str]] | None = None
    """None: not known, because a file could not be read. Then no reference is called wrong."""


class Kind(ABC):
    """Stands in an `Annotated` type and reads its values."""

    absent: object = None
    """How None is written, where it is a value."""

    @abstractmethod
    def read(self, text: str, context: Context) -> object:
        """The typed value; raises `fault` where the text is none."""

    @abstractmethod
    def values(self) -> str:
        """What it takes, in words for the reference."""

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def write(self, value: Any) -> object:
        """The value as the configuration writes it: for defaults in the reference and the JSON Schema."""
        return str(value)

    def wanted(self) -> str:
        """What is wanted here, after the words "is wanted": used where no text was given at all."""
        return self.values()

    def read_any(self, raw: object, context: Context) -> object:
        """Reads whatever stands in the file; kinds that are not plain text take over here."""
        if raw is None:
            raise fault(MISSING, f"the value is missing: {self.wanted()}")
        if not isinstance(raw, str):
            raise fault(WRONG_TYPE, f"{shape(raw)} stands here: {self.wanted()} is wanted")
        return self.read(raw, context)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def validate(raw: object, info: core_schema.ValidationInfo) -> object:
            context = info.context if isinstance(info.context, Context) else Context()
            return self.read_any(raw, context)

        def write(value: object) -> object:
            return self.absent if value is None else self.write(value)

        return core_schema.with_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(write)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**self.json_schema(), "x-values": self.values()}


def fault(code: Code, text: str, suggestion: str | None = None, *, at: str | int | None = None) -> PydanticCustomError:
    """A problem as pydantic carries it; `validate` turns it back into one with its place, `at` one step further in."""
    context = {"code": code.name, "text": text, "suggestion": suggestion, "at": at}
    return PydanticCustomError("isthmus", "{text}", context)


def unknown(code: Code, word: str, what: str, among: Iterable[str]) -> PydanticCustomError:
    """A word that is none of those that are known here."""
    return fault(code, f'"{shortened(word)}" is not {what}', nearest(word, among))


def shortened(text: str) -> str:
    """Text of the file as a message repeats it: one line, printable, and not too long."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= 60 else f"{clean[:57]}..."


def shape(raw: object) -> str:
    match raw:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return "a single value"
