"""Finds the noun at a place of the configuration: for suggestions, and for the reference."""

from __future__ import annotations

from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from isthmus.config.schema.noun import Noun
from isthmus.config.tree import Path


def options(noun: type[Noun]) -> dict[str, Any]:
    """The options of a noun, as the configuration spells them, with the types of their values."""
    return {field.alias or name: field.annotation for name, field in noun.model_fields.items()}


def noun_at(noun: type[Noun], path: Path) -> type[Noun] | None:
    """The noun whose options stand at this path; None where a value or a table of names stands."""
    kind: Any = noun
    for step in path:
        kind = bare(options(kind).get(str(step))) if is_noun(kind) else element(kind)
    return kind if is_noun(kind) else None


def bare(kind: Any) -> Any:
    """The type without its annotations, and without None."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
            continue
        given = [member for member in get_args(kind) if member is not NoneType]
        if len(given) == 1 and len(get_args(kind)) == 2:
            kind = given[0]
            continue
        return kind


def element(kind: Any) -> Any:
    """What a table of names or a list holds; None for anything else."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is dict:
        return bare(arguments[1])
    return bare(arguments[0]) if origin is tuple else None


def is_noun(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Noun)
