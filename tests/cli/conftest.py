"""The command line against a served fake daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from isthmus.cli.main import app
from tests.api.fakes import FakeDaemon, child_view, ike_view
from tests.api.serving import served

Run = Callable[..., Result]


@pytest.fixture
def daemon() -> FakeDaemon:
    """`branch:lan` is up, the others are not."""
    return FakeDaemon(ike_view(child_view("branch:lan")))


@pytest.fixture
def isthmus(daemon: FakeDaemon, tmp_path: Path) -> Iterator[Run]:
    """Runs a verb against the served daemon."""
    with served(daemon, tmp_path / "isthmus.sock") as path:
        yield runner_at(path)


@pytest.fixture
def stopped(tmp_path: Path) -> Run:
    """Runs a verb where no gateway is."""
    return runner_at(tmp_path / "nothing.sock")


def runner_at(path: Path) -> Run:
    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["--socket", str(path), *words])

    return run
