from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import isthmus as package
from isthmus.cli.main import Verbs, app
from isthmus.cli.show import Kinds, VpnKinds
from tests.cli.conftest import Run

HEAVY = (
    "asyncio",
    "starlette",
    "uvicorn",
    "pydantic",
    "prometheus_client",
    "cryptography",
    "ruamel",
    "httpx",
    "pyroute2",
)


def test_without_a_verb_a_running_gateway_shows_its_status(isthmus: Run) -> None:
    bare, status = isthmus(), isthmus("status")
    assert bare.exit_code == 0
    assert bare.stdout == status.stdout


def test_without_a_verb_and_a_gateway_there_is_help(stopped: Run) -> None:
    result = stopped()
    assert result.exit_code == 0
    assert all(verb in result.stdout for verb in Verbs.verbs)


def test_help_of_every_verb_can_be_had() -> None:
    for group, words in ((Verbs, []), (Kinds, ["show"]), (VpnKinds, ["show", "vpn"])):
        for verb in group.verbs:
            result = CliRunner().invoke(app, [*words, verb, "--help"])
            assert result.exit_code == 0, (verb, result.output)


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"isthmus {package.__version__}\n"


def test_nothing_at_the_socket_means_not_running(stopped: Run) -> None:
    result = stopped("show", "tunnels")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "not running" in result.stderr


def test_a_socket_without_a_listener_means_not_running(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert CliRunner().invoke(app, ["--socket", str(path), "status"]).exit_code == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")
def test_a_socket_of_someone_else_means_no_permission(isthmus: Run, tmp_path: Path) -> None:
    del isthmus
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    # The other user may not even read our modules: everything is imported before.
    code = f"""
import os, sys
from typer.testing import CliRunner
from isthmus.cli.main import app
assert CliRunner().invoke(app, ["--socket", {str(tmp_path / "none")!r}, "show", "tunnels"]).exit_code == 3
os.setuid(65534)
sys.argv = ["isthmus", "--socket", {str(tmp_path / "isthmus.sock")!r}, "show", "tunnels"]
app()
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (6, ""), result.stderr
    assert "no permission" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("shou",),
        ("show", "nothing"),
        ("show", "events", "--since", "yesterday"),
        ("show", "ike-sa", "of", "branch"),
        ("test", "ike-sa"),
        ("status", "--yaml"),
    ],
)
def test_what_is_not_a_command_is_a_usage_error(isthmus: Run, words: tuple[str, ...]) -> None:
    result = isthmus(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_the_environment_names_the_socket(isthmus: Run, tmp_path: Path) -> None:
    del isthmus
    result = CliRunner().invoke(app, ["show", "tunnels"], env={"ISTHMUS_SOCKET": str(tmp_path / "isthmus.sock")})
    assert result.exit_code == 0


@pytest.mark.parametrize("words", [("show", "tunnels"), ("status",), ("show", "events"), ("test", "ike-sa", "x")])
def test_a_verb_that_asks_imports_nothing_heavy(tmp_path: Path, words: tuple[str, ...]) -> None:
    code = f"""
import sys
from isthmus.cli.main import app
sys.argv = ['isthmus', '--socket', {str(tmp_path / "none")!r}, *{words!r}]
try:
    app()
except SystemExit as end:
    assert end.code == 3, end.code
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
