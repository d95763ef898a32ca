from __future__ import annotations

import io
import json
from dataclasses import replace

from isthmus.events.event import Severity
from isthmus.observe.log import EventLog, LogFormat, format_for
from tests.api.facts import IKE, dropped, established, failed, installed
from tests.api.fakes import WALL


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_text_and_everything_else_gets_json() -> None:
    assert format_for(Terminal()) is LogFormat.TEXT
    assert format_for(io.StringIO()) is LogFormat.JSON


def test_a_json_line_carries_code_peer_ike_and_child_and_the_fields_of_the_event() -> None:
    stream = io.StringIO()
    EventLog(stream, wall=lambda: WALL).record(installed())
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert record.pop("text").startswith("Child SA branch:lan installed")
    fields = record.pop("fields")
    assert (fields["spi_in"], fields["replaces"]) == (0xC94D2F01, None)
    assert record == {
        "at": "2027-01-15T08:00:00.000Z",
        "severity": "notice",
        "code": "child.installed",
        "peer": "branch",
        "ike": IKE,
        "child": "branch:lan",
    }


def test_what_an_event_is_not_about_is_null_in_json() -> None:
    stream = io.StringIO()
    EventLog(stream, level=Severity.DEBUG).record(dropped())
    record = json.loads(stream.getvalue())
    assert (record["peer"], record["ike"], record["child"]) == (None, None, None)


def test_events_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    log = EventLog(stream, level=Severity.WARNING)
    for event in (dropped(), established(), failed()):
        log.record(event)
    assert [json.loads(line)["code"] for line in stream.getvalue().splitlines()] == ["negotiation.failed"]


def test_the_level_can_change_while_running() -> None:
    stream = io.StringIO()
    log = EventLog(stream)
    log.record(dropped())
    log.level = Severity.DEBUG
    log.record(dropped())
    assert len(stream.getvalue().splitlines()) == 1


def test_a_text_line_names_code_peer_child_and_ike() -> None:
    stream = io.StringIO()
    EventLog(stream, LogFormat.TEXT).record(installed())
    (line,) = stream.getvalue().splitlines()
    assert all(part in line for part in ("child.installed", "peer=branch", "child=branch:lan", f"ike={IKE}"))


def test_the_words_of_a_peer_stay_on_one_line_in_both_forms() -> None:
    hostile = replace(failed(), they_said=("\x1b[31mfake\nerror\r\n2026 all is well",))
    for form in LogFormat:
        stream = Terminal()
        EventLog(stream, form).record(hostile)
        assert len(stream.getvalue().splitlines()) == 1
        assert "\x1b[31mfake" not in stream.getvalue()


def test_a_reader_that_went_away_does_not_stop_the_gateway() -> None:
    stream = io.StringIO()
    log = EventLog(stream)
    stream.close()
    log.record(failed())
    log.say(Severity.ERROR, "gateway.stopping", "on SIGTERM")


def test_the_process_speaks_in_the_same_form() -> None:
    stream = io.StringIO()
    EventLog(stream).say(Severity.NOTICE, "gateway.started", "Listening", socket="/run/isthmus.sock")
    record = json.loads(stream.getvalue())
    assert (record["code"], record["fields"]) == ("gateway.started", {"socket": "/run/isthmus.sock"})
