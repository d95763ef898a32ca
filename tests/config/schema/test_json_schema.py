"""The JSON Schema: what an editor may rely on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from isthmus.config.parse import parse
from isthmus.config.problems import Problems
from isthmus.config.schema.json_schema import json_schema
from isthmus.config.tree import plain
from tests.config.writing import SOUND

_SCHEMA = json_schema()


def _nouns() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "Configuration", _SCHEMA
    yield from _SCHEMA["$defs"].items()


@pytest.mark.parametrize(("name", "noun"), list(_nouns()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_noun_takes_its_options_and_no_other(name: str, noun: dict[str, Any]) -> None:
    assert noun["additionalProperties"] is False
    for option, described in noun["properties"].items():
        assert option == option.lower()
        assert "_" not in option
        assert described["description"].endswith("."), (name, option)


def test_null_is_no_value() -> None:
    assert [branch for branch in _branches(_SCHEMA) if {"type": "null"} in branch] == []


def _branches(schema: Any) -> Iterator[list[Any]]:
    if isinstance(schema, dict):
        if "anyOf" in schema:
            yield schema["anyOf"]
        for value in schema.values():
            yield from _branches(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _branches(value)


def test_defaults_are_written_as_the_configuration_writes_them() -> None:
    options = _SCHEMA["$defs"]["IkeCryptoProfile"]["properties"]
    assert options["lifetime"]["default"] == "8h"
    assert _SCHEMA["$defs"]["Interface"]["properties"]["mtu"]["default"] == "auto"
    assert _SCHEMA["$defs"]["ProxyId"]["properties"]["protocol"]["default"] == "any"
    assert "default" not in _SCHEMA["$defs"]["IkeGateway"]["properties"]["local-address"]


def test_a_sound_configuration_uses_only_what_the_schema_has() -> None:
    root = parse(SOUND, "f", Problems())
    assert root is not None
    assert list(_strangers(plain(root), _SCHEMA)) == []


def _strangers(value: Any, schema: dict[str, Any]) -> Iterator[str]:
    """Options of the configuration that the schema does not describe, or would refuse by their shape."""
    if "$ref" in schema:
        schema = _SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, dict) and "properties" in schema:
        for key, inner in value.items():
            if key not in schema["properties"]:
                yield key
            else:
                yield from _strangers(inner, schema["properties"][key])
        yield from (f"no {key}" for key in schema.get("required", ()) if key not in value)
    elif isinstance(value, dict) and "anyOf" not in schema:
        entries = schema.get("additionalProperties") or next(iter(schema["patternProperties"].values()))
        for inner in value.values():
            yield from _strangers(inner, entries)
    elif isinstance(value, list):
        assert schema["type"] == "array"
    elif "enum" in schema and value not in schema["enum"]:
        yield str(value)
