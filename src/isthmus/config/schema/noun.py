"""What every noun has in common: kebab-case options, none unknown, nothing changed after reading."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from isthmus.config.problems import CONFLICT, DUPLICATE, MISSING
from isthmus.config.values.kind import fault
from isthmus.config.values.quantities import Boolean


def _kebab(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


class Noun(BaseModel):
    """A mapping of options."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=_kebab,
        serialize_by_alias=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_empty(cls, raw: Any) -> Any:
        return _empty_for_nothing(raw)


def _empty_for_nothing(raw: Any) -> Any:
    return {} if raw is None else raw


def _something(raw: Any) -> Any:
    if raw is None:
        raise fault(MISSING, "the list is missing")
    return raw


def _distinct(items: tuple[Any, ...]) -> tuple[Any, ...]:
    seen: set[Any] = set()
    for index, item in enumerate(items):
        if item in seen:
            raise fault(DUPLICATE, "this stands in the list already", at=index)
        seen.add(item)
    return items


Mapped = BeforeValidator(_empty_for_nothing)
"""`trust:` with nothing after it means the same as `trust: {}`, never the same as no `trust` at all."""
Given = BeforeValidator(_something)
Distinct = AfterValidator(_distinct)
Flag = Annotated[bool, Boolean()]


def exactly_one(noun: Noun, *options: str) -> None:
    """Raises unless just one of these options is given."""
    given = [option for option in options if getattr(noun, option) is not None]
    names = [_kebab(option) for option in options]
    if not given:
        raise fault(MISSING, f"one of {', '.join(names)} is wanted")
    if len(given) > 1:
        raise fault(CONFLICT, f"{' and '.join(_kebab(o) for o in given)} exclude each other: one of {', '.join(names)}")
