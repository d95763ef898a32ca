from __future__ import annotations

from isthmus.engine.commands import Reauthenticate, RekeyChild, RekeyIke
from tests.api.facts import established, installed, rekeyed
from tests.api.fakes import FakeDaemon
from tests.cli.conftest import Run


def test_a_rekey_ends_when_the_successor_is_installed(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.answers[RekeyChild("branch:lan")] = (installed("branch:lan", replaces=0xC94D2F00),)
    assert isthmus("rekey", "ipsec-sa", "branch").exit_code == 0


def test_a_rekey_of_an_ike_sa_ends_when_there_is_a_new_one(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.answers[RekeyIke("branch")] = (rekeyed(),)
    assert isthmus("rekey", "ike-sa", "branch").exit_code == 0


def test_a_reauthentication_ends_when_both_have_proved_who_they_are(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.answers[Reauthenticate("branch")] = (established(),)
    assert isthmus("rekey", "ike-sa", "branch", "--reauthenticate").exit_code == 0
    assert daemon.commands == [Reauthenticate("branch")]


def test_what_is_not_up_cannot_be_rekeyed(isthmus: Run) -> None:
    result = isthmus("rekey", "ipsec-sa", "road")
    assert result.exit_code == 1
    assert "not up" in result.stderr
