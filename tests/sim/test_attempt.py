"""One gateway calls the other, and everything that may fail later is tried at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isthmus.events.ike import FailureReason
from isthmus.model.plan import Encapsulation
from isthmus.model.quantities import Seconds
from isthmus.sim.attempt import Act, Attempt, attempt
from isthmus.sim.pairing import Side, pair_up
from isthmus.sim.plans import EAST, WEST, Party, ProxyId, plan_of

OPEN = replace(WEST, passive=False)
TWO = (*EAST.proxy_ids, ProxyId("dmz", "10.3.0.0/16", "10.2.0.0/16"))


def _call(east: Party, west: Party = OPEN, begins: Side = Side.OURS) -> Attempt:
    plans = {Side.OURS: plan_of(east, west), Side.THEIRS: plan_of(west, east)}
    (pair,), _ = pair_up(plans[Side.OURS], plans[Side.THEIRS])
    return attempt(plans, pair, begins)


@pytest.mark.parametrize("begins", list(Side))
def test_what_agrees_comes_up_and_is_rekeyed_from_both_ends(begins: Side) -> None:
    one = _call(EAST, begins=begins)
    assert one.up
    assert not one.failures
    assert one.answered_by == ("east" if begins is Side.OURS else "west")
    (standing,) = one.standing
    assert standing.rekeyed
    assert not standing.narrowed
    assert dict(standing.children) == {Side.OURS: "west:lan", Side.THEIRS: "east:lan"}
    assert [str(part[0]) for part in standing.selectors] == ["10.1.0.0/16", "10.2.0.0/16"]


def test_each_child_is_tried() -> None:
    one = _call(replace(EAST, proxy_ids=TWO), replace(OPEN, proxy_ids=tuple(p.mirrored for p in TWO)))
    assert [standing.children[Side.THEIRS] for standing in one.standing] == ["east:lan", "east:dmz"]


def test_a_rekey_shows_the_key_exchange_of_its_own() -> None:
    pfs = ("aes-128-gcm/group31",)
    (standing,) = _call(replace(EAST, esp=pfs), replace(OPEN, esp=pfs)).standing
    assert (standing.suite, standing.pfs) == ("aes-128-gcm", "group31")


def test_who_is_passive_never_begins() -> None:
    assert _call(EAST, WEST, Side.THEIRS) == Attempt(Side.THEIRS, never="passive: true")


def test_who_does_not_know_where_the_peer_is_never_begins() -> None:
    assert _call(replace(EAST, knows="dynamic")).never == "peer-address: dynamic"


def test_a_name_is_resolved_to_the_other_end() -> None:
    assert _call(replace(EAST, knows="west.example"), replace(OPEN, knows="east.example")).up


def test_short_lifetimes_do_not_disturb_the_rehearsal() -> None:
    hasty = replace(EAST, ike_lifetime=Seconds(3.0), child_lifetime=Seconds(2.0), child_octets=1000)
    assert _call(hasty, replace(OPEN, ike_lifetime=Seconds(4.0))).up


def test_a_failure_carries_the_event_of_the_end_that_knows_more() -> None:
    one = _call(EAST, replace(OPEN, ike=("aes-256-cbc/sha384/sha384/group31",)))
    (failure,) = one.failures
    assert (failure.act, failure.reason) == (Act.IKE_SA, FailureReason.NO_PROPOSAL_CHOSEN)
    assert failure.telling.role == "responder"
    assert one.suite is None


def test_a_child_that_is_refused_does_not_end_the_call() -> None:
    other = replace(OPEN, proxy_ids=tuple(p.mirrored for p in TWO[1:]))
    one = _call(replace(EAST, proxy_ids=TWO), other)
    assert one.suite is not None
    assert [(f.act, f.telling.stage) for f in one.failures] == [(Act.CHILD_SA, "IKE_AUTH")]
    assert [s.children[Side.OURS] for s in one.standing] == ["west:dmz"]


def test_a_group_that_only_a_rekey_needs_fails_at_the_rekey() -> None:
    one = _call(replace(EAST, esp=("aes-128-gcm/group31",)), replace(OPEN, esp=("aes-128-gcm/group19",)))
    assert [(f.act, f.asker) for f in one.failures] == [(Act.REKEY_CHILD_SA, side) for side in Side]
    assert not one.standing[0].rekeyed


def test_a_wider_end_is_narrowed() -> None:
    small = (ProxyId("lan", "10.2.7.0/24", "10.1.0.0/16"),)
    (standing,) = _call(EAST, replace(OPEN, proxy_ids=small)).standing
    assert standing.narrowed
    assert str(standing.selectors[1][0]) == "10.2.7.0/24"


def test_each_end_says_how_it_sends() -> None:
    (standing,) = _call(
        replace(EAST, encapsulation=Encapsulation.ESP), replace(OPEN, encapsulation=Encapsulation.UDP)
    ).standing
    assert dict(standing.udp) == {Side.OURS: False, Side.THEIRS: True}


def test_the_weak_are_named() -> None:
    weak = ("3des/sha1/sha1/group2",)
    named = _call(replace(EAST, ike=weak), replace(OPEN, ike=weak)).weak
    assert {text.split(":")[0] for text in named} == {"3des", "sha1", "group2"}
