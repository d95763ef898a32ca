"""The JSON Schema of the configuration, from the nouns."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from isthmus.config.schema.configuration import Configuration


class _Generator(GenerateJsonSchema):
    """Writes defaults as the configuration does: `8h`, not 28800.0."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        written = super().default_schema(schema)
        write = schema["schema"].get("serialization", {}).get("function")
        if write is not None and "default" in schema:
            written["default"] = write(schema["default"])
        return written


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the whole. What every kind takes stands in words at `x-values`."""
    generated = _plainer(Configuration.model_json_schema(by_alias=True, schema_generator=_Generator))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **generated}


def _plainer(schema: Any) -> Any:
    """Without what pydantic adds and no reader wants: titles of options, and null for options that are left out."""
    if isinstance(schema, list):
        return [_plainer(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    given = [branch for branch in schema.get("anyOf", ()) if branch != {"type": "null"}]
    if len(given) == 1:
        schema = {**given[0], **{key: value for key, value in schema.items() if key != "anyOf"}}
    return {
        key: _options(value) if key in ("properties", "$defs") else _plainer(value)
        for key, value in schema.items()
        if not (key == "title" and "properties" not in schema) and not (key == "default" and value is None)
    }


def _options(properties: dict[str, Any]) -> dict[str, Any]:
    """Names that the operator writes: none of them is a word of JSON Schema."""
    return {name: _plainer(value) for name, value in properties.items()}
