from dataclasses import replace

import pytest

from isthmus.engine.preference import Choice, Preference, ask_again_after
from isthmus.model.plan import PeerPlan, Version
from isthmus.model.quantities import Instant
from isthmus.sim.plans import EAST, WEST, plan_of
from tests.engine.table import Dice

NEWER, OLDER = Choice(Version.IKEV2, alternative=True), Choice(Version.IKEV1, alternative=True)
HOUR = 3600.0


def peer(version: Version = Version.IKEV2_PREFERRED) -> PeerPlan:
    return plan_of(replace(EAST, version=version), WEST).peers["west"]


@pytest.mark.parametrize("version", [Version.IKEV1, Version.IKEV2])
def test_a_version_that_is_configured_is_the_only_one(version: Version) -> None:
    learnt = Preference()
    learnt.unanswered("silence")
    assert learnt.choice(peer(version), Instant(0.0)) == Choice(version, alternative=False)


def test_the_versions_take_turns_with_a_peer_that_answers_neither() -> None:
    learnt = Preference()
    assert learnt.choice(peer(), Instant(0.0)) == NEWER
    learnt.unanswered("silence")
    assert learnt.choice(peer(), Instant(15.0)) == OLDER
    learnt.prefer()
    assert learnt.choice(peer(), Instant(30.0)) == NEWER


def test_who_has_proved_to_speak_ikev2_is_held_to_it_for_a_day() -> None:
    learnt = Preference()
    learnt.proved(Instant(100.0))
    assert learnt.choice(peer(), Instant(100.0 + 23.9 * HOUR)) == Choice(Version.IKEV2, alternative=False)
    assert learnt.choice(peer(), Instant(100.0 + 24.1 * HOUR)) == NEWER


def test_who_proves_itself_by_ikev1_after_that_is_called_by_it() -> None:
    learnt = Preference()
    learnt.proved(Instant(0.0))
    learnt.keep_older()
    assert learnt.choice(peer(), Instant(HOUR)) == OLDER


def test_a_peer_is_asked_again_about_once_an_hour() -> None:
    dice = Dice()
    waits = [ask_again_after(dice) for _ in range(50)]
    assert all(0.9 * HOUR <= wait <= 1.1 * HOUR for wait in waits)
    assert len(set(waits)) > 40
