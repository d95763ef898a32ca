"""The tree against the schema: every entry by itself, so that one that is wrong hides nothing of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from isthmus.config.problems import (
    CODE_BY_NAME,
    MALFORMED,
    MISSING,
    OUT_OF_RANGE,
    UNKNOWN_KEY,
    WRONG_TYPE,
    Problems,
    nearest,
)
from isthmus.config.schema.configuration import Configuration
from isthmus.config.schema.noun import Noun
from isthmus.config.schema.walk import bare, is_noun, noun_at, options
from isthmus.config.tree import MappingNode, Path, Places, ScalarNode, SequenceNode, plain
from isthmus.config.values.kind import Context, shape, shortened


@dataclass(frozen=True, slots=True)
class _Section:
    """How one section is taken apart."""

    field: str
    kind: Any
    """dict, tuple, or None for a single noun."""
    name: TypeAdapter[Any] | None
    entry: TypeAdapter[Any]


def validate(root: MappingNode, context: Context, problems: Problems) -> Configuration:
    """The entries that are sound. The rest is in `problems`."""
    reader = _Reader(root, context, problems)
    sound: dict[str, Any] = {}
    for name, entry in root.entries.items():
        section = _sections().get(name)
        if section is None:
            problems.add(UNKNOWN_KEY, entry.key, f'"{shortened(name)}" is not a section', nearest(name, _sections()))
            continue
        sound[section.field] = reader.section(name, section)
    defaults = Configuration.model_validate({})
    return defaults.model_copy(update=sound)


class _Reader:
    """Reads sections of one tree."""

    def __init__(self, root: MappingNode, context: Context, problems: Problems) -> None:
        self._root = root
        self._context = context
        self._problems = problems
        self._places = Places(root)

    def section(self, name: str, section: _Section) -> Any:
        node = self._root.entries[name].value
        if section.kind is None:
            value = self._read(section.entry, plain(node), (name,))
            return section.entry.validate_python({}) if value is None else value
        if isinstance(node, ScalarNode) and node.text is None:
            return section.kind()
        if section.kind is tuple:
            if not isinstance(node, SequenceNode):
                self._problems.add(WRONG_TYPE, node.place, f"{shape(plain(node))} stands here: a list is wanted")
                return ()
            found = (self._read(section.entry, plain(item), (name, i)) for i, item in enumerate(node.items))
            return tuple(value for value in found if value is not None)
        if not isinstance(node, MappingNode):
            text = f"{shape(plain(node))} stands here: a table of names is wanted"
            self._problems.add(WRONG_TYPE, node.place, text)
            return {}
        return dict(self._entries(name, section, node))

    def _entries(self, name: str, section: _Section, node: MappingNode) -> Iterator[tuple[str, Any]]:
        for key, entry in node.entries.items():
            named = section.name is None or self._read(section.name, key, (name, key), at_key=True) is not None
            value = self._read(section.entry, plain(entry.value), (name, key))
            if named and value is not None:
                yield key, value

    def _read(self, adapter: TypeAdapter[Any], raw: object, path: Path, *, at_key: bool = False) -> Any:
        """The value, or None and its problems."""
        try:
            return adapter.validate_python(raw, context=self._context)
        except ValidationError as error:
            details = error.errors(include_url=False)
            within = {tuple(detail["loc"][:-1]) for detail in details}
            for detail in details:
                if self._problems.full:
                    break
                # A list whose only item is wrong is not too short as well.
                if detail["type"] != "too_short" or tuple(detail["loc"]) not in within:
                    self._report(detail, path, at_key=at_key)
            return None

    def _report(self, detail: Mapping[str, Any], base: Path, *, at_key: bool) -> None:
        path = (*base, *detail["loc"])
        if path[-1] == "[key]":
            path, at_key = path[:-1], True
        given, context = detail.get("input"), detail.get("ctx", {})
        place = self._places.of(*path) if at_key else self._places.value(*path)
        add = self._problems.add
        match detail["type"]:
            case "isthmus":
                if context["at"] is not None:
                    place = self._places.value(*path, context["at"])
                add(CODE_BY_NAME[context["code"]], place, context["text"], context["suggestion"])
            case "extra_forbidden":
                key = str(path[-1])
                text = f'"{shortened(key)}" is not an option here'
                add(UNKNOWN_KEY, self._places.of(*path), text, _meant(key, noun_at(Configuration, path[:-1])))
            case "missing":
                add(MISSING, self._places.of(*path), f"{path[-1]} is missing")
            case "too_short":
                add(MISSING, place, "the list is empty" if given == [] else "nothing stands here")
            case "too_long":
                add(OUT_OF_RANGE, place, f"more than {context['max_length']} items")
            case "model_type" | "model_attributes_type" | "dict_type":
                add(WRONG_TYPE, place, f"{shape(given)} stands here: a mapping is wanted")
            case "tuple_type" if given is None:
                add(MISSING, place, "the list is missing")
            case "tuple_type":
                meant = f"[{given}]" if isinstance(given, str) and given.replace("-", "").isalnum() else None
                add(WRONG_TYPE, place, f"{shape(given)} stands here: a list is wanted", meant)
            case _:
                add(MALFORMED, place, str(detail["msg"]))


def _meant(key: str, noun: type[Noun] | None) -> str | None:
    """The option in whose place this one stands: one of this noun, or one that belongs a step further in."""
    if noun is None:
        return None
    here = options(noun)
    inner = next((name for name, kind in here.items() if is_noun(bare(kind)) and key in options(bare(kind))), None)
    return f"{inner}: {key}" if inner else nearest(key, here)


@cache
def _sections() -> Mapping[str, _Section]:
    return {
        field.alias or name: _section(name, bare(field.annotation))
        for name, field in Configuration.model_fields.items()
    }


def _section(field: str, kind: Any) -> _Section:
    match get_origin(kind):
        case origin if origin is dict:
            name, entry = get_args(kind)
            return _Section(field, dict, TypeAdapter(name), TypeAdapter(entry))
        case origin if origin is tuple:
            return _Section(field, tuple, None, TypeAdapter(get_args(kind)[0]))
        case _:
            return _Section(field, None, None, TypeAdapter(kind))


def defined_names(root: MappingNode, built_in: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """The names that references may use, by section: also those of entries that are otherwise wrong."""
    names: dict[str, frozenset[str]] = {}
    for section in _sections():
        entry = root.entries.get(section)
        written = frozenset(entry.value.entries) if entry and isinstance(entry.value, MappingNode) else frozenset()
        names[section] = written | built_in.get(section, frozenset())
    return names
