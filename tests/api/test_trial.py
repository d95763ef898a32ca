from __future__ import annotations

import asyncio

import pytest

from isthmus.api.trial import ChildGoal, IkeGoal, Outcome, Trial
from isthmus.engine.commands import InitiateIke
from isthmus.events.event import Event
from isthmus.events.ike import FailureReason, PeerSilent
from tests.api.facts import established, failed, installed, rekeyed, repeated
from tests.api.fakes import NOW, FakeDaemon

IKE = IkeGoal("branch")
CHILD = ChildGoal("branch:lan", "branch", "branch")


def result(outcome: Outcome | None) -> str | None:
    return outcome.result if outcome else None


@pytest.mark.parametrize(
    ("event", "ike", "child"),
    [
        (established(), "up", None),
        (established("roamer"), None, None),
        (rekeyed(), "up", None),
        (failed(FailureReason.ONLY_RESPONDS, child="branch:lan"), None, "failed"),
        (installed("branch:lan"), None, "up"),
        (installed("branch:web"), None, None),
        (failed(), "refused", "refused"),
        (failed(peer="roamer"), None, None),
        (failed(child="branch:lan"), None, "refused"),
        (failed(child="branch:web"), None, None),
        (failed(role="responder"), None, None),
        (failed(FailureReason.TEMPORARY_FAILURE, child="branch:lan"), None, None),
        (failed(FailureReason.NO_ANSWER), "timed-out", "timed-out"),
        (failed(FailureReason.DATA_PLANE_REFUSED, child="branch:lan"), None, "failed"),
        (failed(FailureReason.NOT_RESOLVED), "failed", "failed"),
        # What failed, and whether a hint had come before the silence, is told after it.
        (PeerSilent(at=NOW, peer="branch", exchange="IKE_SA_INIT", attempts=10), None, None),
        (repeated(), None, None),
    ],
)
def test_an_event_decides_what_it_is_about(event: Event, ike: str | None, child: str | None) -> None:
    assert (result(IKE.judge(event)), result(CHILD.judge(event))) == (ike, child)


def test_the_first_decision_stands() -> None:
    daemon = FakeDaemon()
    daemon.answers[InitiateIke("branch")] = (failed(), established())

    async def run() -> Outcome:
        return await Trial(IKE).run(daemon, InitiateIke("branch"), 1.0)

    assert asyncio.run(run()).result == "refused"


def test_a_time_out_tells_what_was_seen_last() -> None:
    daemon = FakeDaemon()
    last = repeated(4)
    daemon.answers[InitiateIke("branch")] = (repeated(2), last, established("roamer"))

    async def run() -> Outcome:
        return await Trial(IKE).run(daemon, InitiateIke("branch"), 0.02)

    outcome = asyncio.run(run())
    assert outcome.result == "timed-out"
    assert last.tell() in outcome.text
