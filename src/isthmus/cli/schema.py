"""`isthmus schema`: the JSON Schema of the configuration."""

from __future__ import annotations

import json

from isthmus.config.schema.json_schema import json_schema


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors and other tools."""
    print(json.dumps(json_schema(), indent=2))
