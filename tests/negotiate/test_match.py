"""Which configured peer speaks."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from isthmus.model.identity import Identity
from isthmus.model.plan import PeerPlan
from isthmus.negotiate import match
from isthmus.sim.plans import EAST, WEST, plan_of

HERE, THERE, STRANGER = ip_address(EAST.address), ip_address(WEST.address), ip_address("203.0.113.5")


def _peer(name: str, knows: str | None = None, looks_for: str | None = None) -> PeerPlan:
    (peer,) = plan_of(replace(EAST, knows=knows, looks_for=looks_for), replace(WEST, name=name)).peers.values()
    return peer


FIXED = _peer("fixed")
NAMED = _peer("named", knows="gw.example")
DYNAMIC = _peer("dynamic", knows="dynamic")
PEERS = (DYNAMIC, NAMED, FIXED)
RESOLVED = {"named": (STRANGER, THERE)}


def _names(peers: tuple[PeerPlan, ...]) -> list[str]:
    return [peer.name for peer in peers]


def test_an_address_comes_before_any_address() -> None:
    assert _names(match.by_address(PEERS, HERE, THERE, {})) == ["fixed", "dynamic"]


def test_a_name_counts_as_all_that_it_stands_for() -> None:
    assert _names(match.by_address(PEERS, HERE, THERE, RESOLVED)) == ["named", "fixed", "dynamic"]
    assert _names(match.by_address(PEERS, HERE, STRANGER, RESOLVED)) == ["named", "dynamic"]


def test_who_speaks_to_another_address_of_ours_is_nobody() -> None:
    assert match.by_address(PEERS, STRANGER, THERE, RESOLVED) == ()


def test_a_stranger_is_nobody_unless_anybody_may_come() -> None:
    assert match.by_address((FIXED, NAMED), HERE, STRANGER, {}) == ()


@pytest.mark.parametrize(("peer", "addresses"), [(FIXED, (THERE,)), (NAMED, RESOLVED["named"]), (DYNAMIC, ())])
def test_where_a_peer_may_be_found(peer: PeerPlan, addresses: tuple[object, ...]) -> None:
    assert match.addresses_of(peer, RESOLVED) == addresses


def test_a_name_that_is_not_resolved_is_nowhere() -> None:
    assert match.addresses_of(NAMED, {}) == ()


def test_without_a_configured_identity_a_peer_must_be_its_address() -> None:
    assert match.expected_identity(FIXED, THERE) == Identity.fqdn("fixed.example")
    assert match.expected_identity(replace(FIXED, peer_id=None), THERE) == Identity.of_address(THERE)


def test_an_identity_is_matched_in_kind_and_value() -> None:
    peers = (FIXED, replace(FIXED, name="by address", peer_id=None), NAMED)
    assert _names(match.by_identity(peers, Identity.fqdn("fixed.example"), THERE)) == ["fixed"]
    assert _names(match.by_identity(peers, Identity.of_address(THERE), THERE)) == ["by address"]
    assert match.by_identity(peers, Identity.user_fqdn("fixed.example"), THERE) == ()
    assert match.by_identity(peers, Identity.of_address(THERE), STRANGER) == ()


def test_several_peers_may_have_one_identity() -> None:
    peers = (FIXED, replace(FIXED, name="again"))
    assert _names(match.by_identity(peers, Identity.fqdn("fixed.example"), THERE)) == ["fixed", "again"]
