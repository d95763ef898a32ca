from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FUZZER = Path(__file__).parents[2] / "fuzz" / "message.py"


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_messages_end_in_a_value_or_a_wire_error(seed: int) -> None:
    command = [sys.executable, str(FUZZER), "--seconds", "60", "--runs", "5000", "--seed", str(seed)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "no finding" in ended.stdout
