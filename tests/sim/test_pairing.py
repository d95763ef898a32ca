"""Which gateways of two configurations mean each other."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, ip_address

import pytest

from isthmus.model.identity import Identity
from isthmus.model.plan import PeerPlan, Plan
from isthmus.sim.pairing import Pair, Side, Unmatched, pair_up
from isthmus.sim.plans import EAST, WEST, Party, merged, plan_of

SOUTH = replace(EAST, name="south", address="192.0.2.9")


def _pairs(ours: Plan, theirs: Plan) -> set[tuple[str, str]]:
    return {(pair.ours.name, pair.theirs.name) for pair in pair_up(ours, theirs)[0]}


def _only(ours: Plan, theirs: Plan) -> Pair:
    (pair,), unmatched = pair_up(ours, theirs)
    assert not unmatched
    return pair


def _changed(plan: Plan, **changes: object) -> Plan:
    """The plan with its only peer changed."""
    (peer,) = plan.peers.values()
    changed: PeerPlan = replace(peer, **changes)  # type: ignore[arg-type]
    return replace(plan, peers={peer.name: changed})


def _view(party: Party, there: Party = WEST) -> Plan:
    return plan_of(party, there)


def test_two_that_have_each_others_address_are_a_pair() -> None:
    pair = _only(_view(EAST), _view(WEST, EAST))
    assert (pair.ours.name, pair.theirs.name, pair.behind_nat) == ("west", "east", None)


def test_a_wrong_identity_is_no_reason_to_take_them_apart() -> None:
    west = replace(WEST, identity="somebody.else.example")
    assert _pairs(_view(EAST, replace(west, identity=None)), _view(west, EAST)) == {("west", "east")}


@pytest.mark.parametrize("knows", ["dynamic", "west.example"])
def test_where_no_address_is_known_the_identity_decides(knows: str) -> None:
    east = replace(EAST, knows=knows)
    assert _pairs(_view(east), _view(WEST, EAST)) == {("west", "east")}


def test_two_that_both_wait_for_anybody_are_a_pair_only_by_both_identities() -> None:
    east, west = replace(EAST, knows="dynamic"), replace(WEST, knows="dynamic")
    assert _pairs(_view(east), _view(west, EAST)) == {("west", "east")}
    assert not _pairs(_view(east), _view(replace(west, identity="other.example"), EAST))


def test_each_gateway_of_a_hub_finds_its_own_branch() -> None:
    hub = merged(plan_of(WEST, EAST), plan_of(WEST, SOUTH))
    pairs, unmatched = pair_up(hub, _view(SOUTH))
    assert [(p.ours.name, p.theirs.name) for p in pairs] == [("south", "west")]
    assert [(u.side, u.gateway) for u in unmatched] == [(Side.OURS, "east")]


def test_among_dynamic_gateways_the_identity_chooses() -> None:
    hub = merged(*(plan_of(replace(WEST, knows="dynamic"), party) for party in (EAST, SOUTH)))
    assert _pairs(hub, _view(SOUTH)) == {("south", "west")}
    assert _pairs(hub, _view(EAST)) == {("east", "west")}


def test_two_gateways_between_the_same_addresses_are_told_apart_by_identity() -> None:
    second = replace(EAST, name="second")
    ours = merged(plan_of(EAST, replace(WEST, name="a")), plan_of(second, replace(WEST, name="b")))
    theirs = merged(plan_of(replace(WEST, name="b"), second), plan_of(replace(WEST, name="a"), EAST))
    assert _pairs(ours, theirs) == {("a", "east"), ("b", "second")}


def test_a_counterpart_that_knows_both_by_one_identity_serves_both() -> None:
    elsewhere = replace(EAST, address="203.0.113.1")
    ours = merged(plan_of(EAST, WEST), plan_of(elsewhere, replace(WEST, name="backup", identity="west.example")))
    theirs = plan_of(replace(WEST, knows="dynamic"), EAST)
    assert _pairs(ours, theirs) == {("west", "east"), ("backup", "east")}


def test_an_end_that_leaves_its_address_to_its_host_has_the_one_that_the_other_expects() -> None:
    nowhere = IPv4Address(0)
    east = _changed(_view(EAST), local=nowhere, local_id=Identity.of_address(nowhere))
    west = _changed(_view(WEST, EAST), peer_id=None)
    pair = _only(east, west)
    assert pair.ours.local == ip_address(EAST.address)
    assert pair.agreements == 2


def test_a_private_address_seen_as_a_public_one_stands_behind_a_nat() -> None:
    public = ip_address(EAST.address)
    pair = _only(_changed(_view(EAST), local=ip_address("192.168.1.7")), _view(WEST, EAST))
    assert pair.behind_nat is Side.OURS
    assert pair.seen_address(Side.OURS) == public
    assert pair.seen_address(Side.THEIRS) == ip_address(WEST.address)


def test_behind_a_nat_nothing_but_the_identity_tells_who_it_is() -> None:
    east = _changed(_view(replace(EAST, identity="other.example")), local=ip_address("192.168.1.7"))
    assert not _pairs(east, _view(WEST, EAST))


def test_two_behind_nats_cannot_find_each_other() -> None:
    east = _changed(_view(EAST), local=ip_address("192.168.1.7"))
    west = _changed(_view(WEST, EAST), local=ip_address("10.0.0.7"))
    assert not _pairs(east, west)


def test_who_stays_alone_is_told_what_keeps_it_so() -> None:
    _, unmatched = pair_up(_view(EAST), _view(replace(WEST, address="198.51.100.3"), EAST))
    assert unmatched == (
        Unmatched(
            Side.OURS, "west", "no gateway there is at 198.51.100.2; east looks for it, but is itself at 198.51.100.3"
        ),
        Unmatched(
            Side.THEIRS,
            "east",
            "it is at 198.51.100.3, and who is at 192.0.2.1 looks elsewhere or has another counterpart: "
            "west at 198.51.100.2",
        ),
    )


def test_a_gateway_for_anybody_names_whom_it_waits_for() -> None:
    _, (alone, *_) = pair_up(_view(replace(EAST, knows="dynamic", looks_for="north.example")), _view(SOUTH))
    assert "fqdn:north.example" in alone.why
    assert pair_up(_view(EAST), Plan())[1][0].why == "the other configuration has no gateway"
