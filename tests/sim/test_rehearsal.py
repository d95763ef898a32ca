"""Two configurations, from both ends."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from isthmus.model.plan import Encapsulation, Mode, Plan
from isthmus.model.proposal import Protocol
from isthmus.sim.obstacles import NO_WAY_FOR_ESP
from isthmus.sim.pairing import Side
from isthmus.sim.plans import EAST, WEST, Party, ProxyId, merged, plan_of
from isthmus.sim.rehearsal import Meeting, Rehearsal, Result, rehearse

OPEN = replace(WEST, passive=False)


def _rehearsed(east: Party, west: Party = OPEN) -> Rehearsal:
    return rehearse(plan_of(east, west), plan_of(west, east))


def _meeting(east: Party, west: Party = OPEN) -> Meeting:
    (only,) = _rehearsed(east, west).meetings
    return only


def _fates(meeting: Meeting) -> list[tuple[str | None, str | None, str]]:
    return [(fate.ours, fate.theirs, str(fate.result)) for fate in meeting.fates]


def test_a_matching_pair_comes_up() -> None:
    found = _rehearsed(EAST)
    assert found.comes_up
    assert _fates(found.meetings[0]) == [("west:lan", "east:lan", "up")]
    assert not found.meetings[0].obstacles
    assert [attempt.up for attempt in found.meetings[0].attempts] == [True, True]


def test_it_is_enough_that_one_end_begins() -> None:
    assert _rehearsed(EAST, WEST).comes_up


def test_the_same_plans_give_the_same() -> None:
    assert _rehearsed(EAST, replace(OPEN, esp=("3des/sha1",))) == _rehearsed(EAST, replace(OPEN, esp=("3des/sha1",)))


def test_a_pfs_mismatch_lasts_until_the_first_rekey() -> None:
    meeting = _meeting(replace(EAST, esp=("aes-128-gcm/group31",)))
    assert _fates(meeting) == [("west:lan", "east:lan", "until-rekey")]
    assert not meeting.comes_up


def test_one_cause_is_told_once_whoever_meets_it() -> None:
    proxies = tuple(ProxyId(f"n{n}", f"10.1.{n}.0/24", f"10.2.{n}.0/24") for n in range(3))
    meeting = _meeting(
        replace(EAST, esp=("aes-128-gcm/group31",), proxy_ids=proxies),
        replace(OPEN, proxy_ids=tuple(p.mirrored for p in proxies)),
    )
    (obstacle,) = meeting.obstacles
    assert obstacle.begins == tuple(Side)
    assert {name for side, name in obstacle.blocks if side is Side.OURS} == {"west:n0", "west:n1", "west:n2"}
    assert [result for *_, result in _fates(meeting)] == ["until-rekey", "failed", "failed"]


def test_children_of_an_ike_sa_that_failed_stand_beside_their_counterparts() -> None:
    meeting = _meeting(EAST, replace(OPEN, psk=b"a different key altogether"))
    assert _fates(meeting) == [("west:lan", "east:lan", "failed")]


def test_children_that_share_nothing_stand_alone() -> None:
    meeting = _meeting(EAST, replace(OPEN, proxy_ids=(ProxyId("lan", "10.8.0.0/16", "10.7.0.0/16"),)))
    assert _fates(meeting) == [("west:lan", None, "failed"), (None, "east:lan", "failed")]


def test_a_wide_child_serves_several_narrow_ones() -> None:
    narrow = tuple(ProxyId(f"n{n}", f"10.2.{n}.0/24", "10.1.0.0/16") for n in range(2))
    meeting = _meeting(EAST, replace(OPEN, proxy_ids=narrow))
    assert meeting.comes_up
    assert _fates(meeting) == [("west:lan", "east:n0", "up"), ("west:lan", "east:n1", "up")]


def test_what_is_disabled_at_both_ends_is_no_failure() -> None:
    def off(plan: Plan) -> Plan:
        return replace(plan, tunnels={name: replace(t, enabled=False) for name, t in plan.tunnels.items()})

    found = rehearse(off(plan_of(EAST, OPEN)), off(plan_of(OPEN, EAST)))
    assert found.comes_up
    assert {fate.result for fate in found.meetings[0].fates} == {Result.DISABLED}
    assert all(attempt.suite for attempt in found.meetings[0].attempts)


def test_a_hub_is_rehearsed_with_the_branch_that_is_there() -> None:
    hub = merged(plan_of(WEST, EAST), plan_of(WEST, replace(EAST, name="south", address="192.0.2.9")))
    found = rehearse(plan_of(EAST, WEST), hub)
    assert found.comes_up
    assert [(u.side, u.gateway) for u in found.unmatched] == [(Side.THEIRS, "south")]


def test_two_gateways_of_one_pair_of_sites_are_two_meetings() -> None:
    second = replace(EAST, name="second", psk=b"another key, for the second one")
    ours = merged(plan_of(EAST, replace(WEST, name="a")), plan_of(second, replace(WEST, name="b")))
    wrong = replace(WEST, name="b", psk=b"not what the other end has")
    theirs = merged(plan_of(replace(WEST, name="a"), EAST), plan_of(wrong, second))
    found = rehearse(ours, theirs)
    assert {m.pair.ours.name: m.comes_up for m in found.meetings} == {"a": True, "b": False}
    assert not found.comes_up


def test_plain_esp_through_a_nat_is_agreed_on_and_carries_nothing() -> None:
    def behind(plan: Plan) -> Plan:
        peers = {name: replace(peer, local=ip_address("192.168.1.7")) for name, peer in plan.peers.items()}
        return replace(plan, peers=peers)

    east = replace(EAST, encapsulation=Encapsulation.ESP)
    assert rehearse(behind(plan_of(EAST, WEST)), plan_of(WEST, EAST)).comes_up
    (meeting,) = rehearse(behind(plan_of(east, WEST)), plan_of(WEST, EAST)).meetings
    assert _fates(meeting) == [("west:lan", "east:lan", "no-traffic")]
    (obstacle,) = meeting.obstacles
    assert obstacle.reason == NO_WAY_FOR_ESP
    assert [(remedy.side, remedy.change) for remedy in obstacle.remedies] == [(Side.OURS, "set encapsulation: auto")]


def test_where_no_two_meet_nothing_comes_up() -> None:
    found = rehearse(plan_of(EAST, WEST), plan_of(replace(WEST, address="203.0.113.9"), EAST))
    assert not found.meetings
    assert not found.comes_up
    assert len(found.unmatched) == 2


def test_modes_that_differ_are_shown_where_they_are_written() -> None:
    proxies = (ProxyId("peer", EAST.address, WEST.address),)
    east = replace(EAST, mode=Mode.TRANSPORT, proxy_ids=proxies)
    meeting = _meeting(east, replace(OPEN, proxy_ids=(proxies[0].mirrored,)))
    (obstacle,) = meeting.obstacles
    assert obstacle.title == "The modes differ"
    assert [remedy.change for remedy in obstacle.remedies] == ["set mode: tunnel", "set mode: transport"]


def test_ah_and_transport_mode_are_seen_in_what_stands() -> None:
    proxies = (ProxyId("peer", EAST.address, WEST.address),)
    east = replace(EAST, mode=Mode.TRANSPORT, proxy_ids=proxies, esp=("ah/sha256",))
    meeting = _meeting(east, replace(OPEN, mode=Mode.TRANSPORT, proxy_ids=(proxies[0].mirrored,), esp=("ah/sha256",)))
    assert meeting.comes_up
    (standing,) = {id(fate.standing): fate.standing for fate in meeting.fates if fate.standing}.values()
    assert (standing.protocol, standing.mode, set(standing.udp.values())) == (Protocol.AH, Mode.TRANSPORT, {False})
