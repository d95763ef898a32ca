from __future__ import annotations

import io
import json
from typing import Any

import pytest

from isthmus.cli import screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for stream, coloured in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stdout", stream)
        screen.console().print(screen.state("down"))
        assert ("\x1b[" in stream.getvalue()) is coloured


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("NO_COLOR", "1")
    screen.console().print(screen.state("down"))
    assert stream.getvalue() == "down\n"


def test_watching_as_json_prints_one_document_a_line_until_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[Any] = [[{"n": 1}], [{"n": 2}]]

    def read() -> Any:
        if not answers:
            raise KeyboardInterrupt
        return answers.pop(0)

    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    screen.show(read, lambda _rows: screen.plain(""), as_json=True, watch=True)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [[{"n": 1}], [{"n": 2}]]
