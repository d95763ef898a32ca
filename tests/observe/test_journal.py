from __future__ import annotations

from isthmus.events.event import Severity
from isthmus.events.ike import FailureReason
from isthmus.observe.journal import DETAILS, STORIES, Journal, Query
from tests.api.facts import dropped, established, failed, installed, repeated, retry


def test_entries_come_back_in_the_order_of_recording_with_rising_numbers_and_their_time() -> None:
    times = iter((10.0, 11.0, 12.0))
    journal = Journal(lambda: next(times))
    events = (established("branch"), established("roamer"), dropped())
    for event in events:
        journal.record(event)
    entries = journal.entries()
    assert [(e.number, e.wall, e.event) for e in entries] == [
        (1, 10.0, events[0]),
        (2, 11.0, events[1]),
        (3, 12.0, events[2]),
    ]
    assert journal.last == 3


def test_a_flood_of_debug_events_does_not_wash_away_a_failure() -> None:
    journal = Journal()
    journal.record(failed())
    for attempt in range(10 * STORIES):
        journal.record(repeated(attempt))
    assert [e.event for e in journal.entries(Query(severity=Severity.WARNING))] == [failed()]
    assert len(journal.entries(Query(limit=10_000))) == DETAILS + 1


def test_strange_datagrams_do_not_wash_away_the_story_of_a_peer() -> None:
    journal = Journal()
    journal.record(established())
    for _ in range(10 * STORIES):
        journal.record(failed(peer=None))
        journal.record(dropped())
    assert [e.event for e in journal.entries(Query(peer="branch"))] == [established()]


def test_each_peer_keeps_its_newest_stories_only() -> None:
    journal = Journal()
    for number in range(STORIES + 50):
        journal.record(established(took=float(number)))
    kept = journal.entries(Query(limit=10_000))
    assert [e.number for e in kept] == list(range(51, STORIES + 51))


def test_a_query_filters_by_peer_kind_severity_child_and_number() -> None:
    journal = Journal()
    events = (established(), installed("branch:lan"), installed("branch:web"), failed(child="branch:web"), retry())
    for event in events:
        journal.record(event)

    def numbers(query: Query) -> list[int]:
        return [entry.number for entry in journal.entries(query)]

    assert numbers(Query(peer="roamer")) == []
    assert numbers(Query(code="child")) == [2, 3]
    assert numbers(Query(code="child.installed", child="branch:lan")) == [2]
    assert numbers(Query(child="branch")) == [2, 3, 4]
    assert numbers(Query(child="branch:web")) == [3, 4]
    assert numbers(Query(severity=Severity.NOTICE)) == [1, 2, 3, 4]
    assert numbers(Query(after=3)) == [4, 5]
    assert numbers(Query(limit=2)) == [4, 5]
    assert numbers(Query(ike="another")) == []


def test_since_is_a_time_of_the_wall_clock() -> None:
    times = iter((100.0, 200.0))
    journal = Journal(lambda: next(times))
    journal.record(failed(FailureReason.NO_ANSWER))
    journal.record(established())
    assert [e.wall for e in journal.entries(Query(since=150.0))] == [200.0]
