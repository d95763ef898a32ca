"""`isthmus schema`."""

from __future__ import annotations

import json

import typer
from typer.testing import CliRunner

from isthmus.cli.schema import schema
from isthmus.config.schema.json_schema import json_schema


def test_the_schema_is_printed_as_json() -> None:
    app = typer.Typer()
    app.command()(schema)
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json_schema()
