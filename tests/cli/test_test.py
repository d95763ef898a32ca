from __future__ import annotations

import json

import pytest

from isthmus.engine.commands import InitiateChild, InitiateIke
from isthmus.events.ike import FailureReason
from tests.api.facts import established, failed, installed
from tests.api.fakes import FakeDaemon
from tests.cli.conftest import Run


def test_what_comes_up_is_exit_status_0(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.gateway.ikes = ()
    daemon.answers[InitiateIke("branch")] = (established(),)
    result = isthmus("test", "ike-sa", "branch")
    assert result.exit_code == 0
    assert result.stdout.startswith("branch up")


def test_what_is_up_already_is_exit_status_0(isthmus: Run, daemon: FakeDaemon) -> None:
    result = isthmus("test", "ipsec-sa", "branch:lan")
    assert (result.exit_code, daemon.commands) == (0, [])
    assert "already" in result.stdout


def test_a_refusal_is_exit_status_8_and_shows_both_sides(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.gateway.ikes = ()
    daemon.answers[InitiateIke("branch")] = (failed(),)
    result = isthmus("test", "ike-sa", "branch")
    assert result.exit_code == 8
    assert "they said  NO_PROPOSAL_CHOSEN" in result.stdout
    assert "we said    aes-256-gcm/prf-sha384/group20" in result.stdout


def test_silence_is_exit_status_7(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.gateway.ikes = ()
    assert isthmus("test", "ike-sa", "branch", "--timeout", "0.1").exit_code == 7


def test_a_cause_on_our_side_is_exit_status_1(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.answers[InitiateChild("branch:web")] = (failed(FailureReason.DATA_PLANE_REFUSED, child="branch:web"),)
    assert isthmus("test", "ipsec-sa", "branch:web").exit_code == 1


def test_an_unknown_name_is_exit_status_4(isthmus: Run) -> None:
    assert isthmus("test", "ipsec-sa", "brunch").exit_code == 4


def test_the_gravest_of_several_outcomes_counts(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.answers[InitiateChild("branch:web")] = (failed(FailureReason.SELECTORS_UNACCEPTABLE, child="branch:web"),)
    result = isthmus("test", "ipsec-sa", "branch", "--json")
    assert result.exit_code == 8
    assert [outcome["result"] for outcome in json.loads(result.stdout)] == ["already-up", "refused"]


@pytest.mark.parametrize("words", ["test vpn ipsec-sa tunnel branch:web", "test ipsec-sa tunnel branch:web"])
def test_the_spelling_of_the_reference_product_is_understood(isthmus: Run, daemon: FakeDaemon, words: str) -> None:
    daemon.answers[InitiateChild("branch:web")] = (installed("branch:web"),)
    assert isthmus(*words.split()).exit_code == 0
    assert daemon.commands == [InitiateChild("branch:web")]
