"""What two configurations tell of IKE version 1, before they meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isthmus.events.ike import FailureReason
from isthmus.model.plan import ExchangeMode, Version
from isthmus.sim.attempt import Act, attempt
from isthmus.sim.obstacles import Obstacle
from isthmus.sim.pairing import Side, pair_up
from isthmus.sim.plans import Party, ProxyId, plan_of
from isthmus.sim.rehearsal import Meeting, rehearse
from isthmus.sim.scenarios.ikev1 import EAST_V1, WEST_V1

OPEN = replace(WEST_V1, passive=False)


def meeting(east: Party, west: Party) -> Meeting:
    (met,) = rehearse(plan_of(east, west), plan_of(west, east)).meetings
    return met


def obstacle(east: Party, west: Party) -> Obstacle:
    (only,) = meeting(east, west).obstacles
    return only


@pytest.mark.parametrize("begins", list(Side))
def test_both_phases_are_renewed_from_both_ends(begins: Side) -> None:
    plans = {Side.OURS: plan_of(EAST_V1, OPEN), Side.THEIRS: plan_of(OPEN, EAST_V1)}
    (pair,), _ = pair_up(plans[Side.OURS], plans[Side.THEIRS])
    one = attempt(plans, pair, begins)
    assert one.up
    assert one.version is Version.IKEV1
    assert [standing.rekeyed for standing in one.standing] == [True]


@pytest.mark.parametrize("there", [Version.IKEV1, Version.IKEV2])
def test_who_prefers_ikev2_meets_a_peer_that_has_one_of_the_two(there: Version) -> None:
    met = meeting(replace(EAST_V1, version=Version.IKEV2_PREFERRED), replace(OPEN, version=there))
    assert met.comes_up
    assert {one.version for one in met.attempts} == {there}


def test_ends_without_a_common_version_are_told_the_two_lines() -> None:
    found = obstacle(EAST_V1, replace(OPEN, version=Version.IKEV2))
    assert (found.act, found.reason) == (Act.IKE_SA, FailureReason.NO_ANSWER)
    (point,) = found.points
    assert (point.option, point.ours.words, point.theirs.words) == ("version", ("ikev1",), ("ikev2",))
    assert [(r.side, r.change.split(" (")[0]) for r in found.remedies] == [
        (Side.OURS, "set version: ikev2"),
        (Side.THEIRS, "set version: ikev2-preferred"),
    ]


def test_a_mode_that_the_other_end_does_not_answer_is_told() -> None:
    aggressive = replace(EAST_V1, exchange_mode=ExchangeMode.AGGRESSIVE)
    met = meeting(aggressive, replace(OPEN, exchange_mode=ExchangeMode.MAIN))
    assert {point.option for found in met.obstacles for point in found.points} == {"exchange-mode"}
    assert all(found.remedies[0].side is Side.OURS for found in met.obstacles)
    assert all(found.remedies[0].change == "set exchange-mode: main" for found in met.obstacles)


def test_the_profile_of_ikev1_is_the_one_that_is_read() -> None:
    there, here = plan_of(OPEN, EAST_V1), plan_of(EAST_V1, OPEN)
    peer = here.peers["west"]
    assert peer.ikev1 is not None
    old = plan_of(replace(EAST_V1, ike=("3des/sha1/sha1/group2",)), OPEN).peers["west"].profile
    other = replace(peer, ikev1=replace(peer.ikev1, profile=replace(old, name="old")))
    (met,) = rehearse(replace(here, peers={"west": other}), there).meetings
    paths = {point.ours.paths[0] for found in met.obstacles for point in found.points}
    assert {path[:2] for path in paths} == {("ike-crypto-profiles", "old")}
    assert {path[2] for path in paths} == {"encryption", "hash", "dh-group"}


def test_a_proxy_id_that_is_wider_is_another_one() -> None:
    wide = (ProxyId("lan", "10.1.0.0/16", "10.0.0.0/8"),)
    found = obstacle(replace(EAST_V1, proxy_ids=wide), OPEN)
    assert "IKEv1 takes each proxy ID exactly" in found.title
    (point,) = found.points
    assert (point.ours.words, point.theirs.words) == (("10.0.0.0/8",), ("10.2.0.0/16",))
    assert found.remedies[0].change.endswith("be 10.0.0.0/8")
