from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from isthmus.cli.main import app
from tests.cli.conftest import Run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(shell: str) -> None:
    result = CliRunner().invoke(app, ["completion", shell])
    assert result.exit_code == 0
    assert "_ISTHMUS_COMPLETE" in result.stdout


def complete(line: str) -> list[str]:
    words = line.split(" ")
    environment = {
        "_ISTHMUS_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    return CliRunner().invoke(app, [], env=environment, prog_name="isthmus").stdout.split()


def test_verbs_are_completed() -> None:
    assert complete("isthmus sho") == ["show"]
    assert complete("isthmus show ik") == ["ike-sa"]


def test_names_are_completed_from_the_running_gateway(isthmus: Run, tmp_path: Path) -> None:
    del isthmus
    at = f"isthmus --socket {tmp_path / 'isthmus.sock'}"
    assert complete(f"{at} show ike-sa br") == ["branch"]
    assert complete(f"{at} show ipsec-sa ro") == ["road"]


def test_without_a_gateway_no_name_is_completed(tmp_path: Path) -> None:
    assert complete(f"isthmus --socket {tmp_path / 'none'} show ike-sa br") == []
