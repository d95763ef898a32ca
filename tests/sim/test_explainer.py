"""Why two configurations do not agree."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isthmus.events.ike import FailureReason
from isthmus.model.plan import PostquantumKeys, PpkMode
from isthmus.model.secret import Secret
from isthmus.sim.obstacles import Obstacle
from isthmus.sim.pairing import Side
from isthmus.sim.plans import EAST, WEST, Party, ProxyId, plan_of
from isthmus.sim.rehearsal import rehearse

OPEN = replace(WEST, passive=False)


def _obstacle(east: Party, west: Party = OPEN) -> Obstacle:
    (meeting,) = rehearse(plan_of(east, west), plan_of(west, east)).meetings
    (only,) = meeting.obstacles
    return only


def _changes(obstacle: Obstacle) -> list[tuple[Side, str]]:
    return [(remedy.side, remedy.change) for remedy in obstacle.remedies]


def test_a_group_that_differs_is_the_only_point() -> None:
    found = _obstacle(
        replace(EAST, ike=("aes-128-gcm/sha256/group31/group20",)), replace(OPEN, ike=("aes-128-gcm/sha256/group2",))
    )
    assert (found.stage, found.reason) == ("IKE_SA_INIT", FailureReason.NO_PROPOSAL_CHOSEN)
    (point,) = found.points
    assert (point.option, point.ours.words, point.theirs.words) == ("dh-group", ("group31", "group20"), ("group2",))
    assert point.ours.paths[0] == ("ike-crypto-profiles", "ike", "dh-group")
    assert found.fits == ("aes-128-gcm", "sha256")


def test_what_weakens_nothing_is_advised_first() -> None:
    found = _obstacle(EAST, replace(OPEN, ike=("aes-128-gcm/sha256/group2",)))
    assert _changes(found)[0] == (Side.THEIRS, "add group31 to dh-group")
    assert _changes(found)[1][1].startswith("add group2 to dh-group (weak: 1024-bit MODP")


def test_an_aead_against_another_cipher_is_a_matter_of_encryption_alone() -> None:
    found = _obstacle(EAST, replace(OPEN, ike=("aes-256-cbc/sha256/sha256/group31",)))
    assert [point.option for point in found.points] == ["encryption"]


def test_several_options_that_differ_are_all_told() -> None:
    found = _obstacle(EAST, replace(OPEN, ike=("aes-256-gcm/sha384/group20",)))
    assert [point.option for point in found.points] == ["encryption", "hash", "dh-group"]
    assert len(found.remedies) == 6


def test_a_cipher_of_esp_is_looked_for_in_the_ipsec_profile() -> None:
    found = _obstacle(EAST, replace(OPEN, esp=("aes-256-cbc/sha256",)))
    (point,) = found.points
    assert (point.option, found.stage) == ("esp.encryption", "IKE_AUTH")
    assert point.theirs.paths[0] == ("ipsec-crypto-profiles", "esp", "esp", "encryption")
    assert point.theirs.paths[1] == ("ipsec-tunnels", "east", "ipsec-crypto-profile")


def test_pfs_at_one_end_only_is_met_at_the_first_rekey() -> None:
    found = _obstacle(replace(EAST, esp=("aes-128-gcm/group31",)))
    (point,) = found.points
    assert (point.ours.words, point.theirs.words) == (("group31",), ("no-pfs",))
    assert "the first rekey fails" in found.title
    assert found.begins == tuple(Side)
    assert _changes(found) == [
        (Side.THEIRS, "set dh-group: group31"),
        (Side.OURS, "set dh-group: no-pfs (weak: no fresh key exchange)"),
    ]


def test_keys_that_differ_are_said_to_and_never_shown() -> None:
    found = _obstacle(EAST, replace(OPEN, psk=b"a different key altogether"))
    assert found.title == "The pre-shared keys differ"
    assert found.points[0].ours.paths == (("ike-gateways", "west", "authentication", "pre-shared-key"),)
    assert "altogether" not in repr(found)
    assert "remember" not in repr(found)


def test_a_stranger_is_compared_with_whom_the_other_end_expects() -> None:
    found = _obstacle(replace(EAST, looks_for="west.example"), replace(OPEN, identity="wast.example"))
    (point,) = found.points
    assert found.reason is FailureReason.IDENTITY_MISMATCH
    assert (point.ours.words, point.theirs.words) == (("fqdn:west.example",), ("fqdn:wast.example",))
    assert _changes(found) == [
        (Side.OURS, "set peer-id: {fqdn: wast.example}"),
        (Side.THEIRS, "set local-id: {fqdn: west.example}"),
    ]


def test_both_identities_are_told_at_once() -> None:
    east = replace(EAST, looks_for="west.example", identity="east.example")
    found = _obstacle(east, replace(OPEN, identity="wast.example", looks_for="aest.example"))
    assert len(found.points) == 2


def test_an_additional_key_exchange_at_one_end_only_is_told_as_such() -> None:
    found = _obstacle(replace(EAST, ike=("aes-128-gcm/sha256/group31/+ml-kem-768",)))
    (point,) = found.points
    assert (point.option, point.ours.words, point.theirs.words) == (
        "additional-key-exchange",
        ("ml-kem-768",),
        ("none",),
    )
    assert _changes(found) == [
        (Side.THEIRS, "add ml-kem-768 to additional-key-exchange"),
        (Side.OURS, "leave out additional-key-exchange (weak: nothing instead)"),
    ]


def _ppk(key: bytes, name: bytes = b"one") -> PostquantumKeys:
    return PostquantumKeys(PpkMode.MANDATORY, {name: Secret(key)})


def test_a_post_quantum_key_that_one_end_lacks_is_told_by_its_id() -> None:
    found = _obstacle(replace(EAST, ppk=_ppk(b"k" * 32)))
    assert found.reason is FailureReason.PPK_MISMATCH
    (point,) = found.points
    assert (point.ours.words, point.theirs.words) == (("mandatory", "key ID one"), ("none",))
    assert point.ours.paths[0] == ("ike-gateways", "west", "ppk")
    assert found.title == "No common post-quantum pre-shared key"
    assert [side for side, _ in _changes(found)] == [Side.THEIRS, Side.OURS]


def test_post_quantum_keys_of_one_id_that_differ_are_not_shown() -> None:
    found = _obstacle(replace(EAST, ppk=_ppk(b"k" * 32)), replace(OPEN, ppk=_ppk(b"j" * 32)))
    assert found.title == "The keys of one post-quantum key ID differ"
    assert "kkk" not in repr(found)


def test_of_traffic_only_the_half_that_differs_is_told() -> None:
    found = _obstacle(EAST, replace(OPEN, proxy_ids=(ProxyId("lan", "10.2.0.0/16", "10.7.0.0/16"),)))
    (point,) = found.points
    assert (point.option, point.ours.words, point.theirs.words) == (
        "local and remote",
        ("10.1.0.0/16",),
        ("10.7.0.0/16",),
    )
    assert point.ours.paths[0] == ("ipsec-tunnels", "west", "proxy-ids", "lan", "local")
    assert point.theirs.paths[0] == ("ipsec-tunnels", "east", "proxy-ids", "lan", "remote")


def test_networks_that_meet_under_another_protocol_differ_in_the_protocol() -> None:
    tcp = (replace(EAST.proxy_ids[0], protocol=6),)
    found = _obstacle(replace(EAST, proxy_ids=tcp), replace(OPEN, proxy_ids=(replace(tcp[0].mirrored, protocol=17),)))
    assert found.points[0].ours.paths[0][-1] == "protocol"
    assert found.points[0].ours.words == ("10.1.0.0/16[tcp]",)


def test_the_nearest_is_one_that_serves_nothing_else() -> None:
    ours = (*EAST.proxy_ids, ProxyId("dmz", "10.3.0.0/16", "10.2.0.0/16"))
    theirs = (OPEN.proxy_ids[0], ProxyId("dmz", "10.2.0.0/16", "10.4.0.0/16"))
    found = _obstacle(replace(EAST, proxy_ids=ours), replace(OPEN, proxy_ids=theirs))
    assert found.blocks == ((Side.OURS, "west:dmz"), (Side.THEIRS, "east:dmz"))
    assert (found.points[0].ours.words, found.points[0].theirs.words) == (("10.3.0.0/16",), ("10.4.0.0/16",))


def test_a_tunnel_that_is_disabled_at_the_other_end_is_named() -> None:
    west = plan_of(WEST, EAST)
    off = replace(west, tunnels={name: replace(t, enabled=False) for name, t in west.tunnels.items()})
    (meeting,) = rehearse(plan_of(EAST, WEST), off).meetings
    (found,) = meeting.obstacles
    assert found.points[0].theirs.words == ("east is disabled",)
    assert _changes(found) == [(Side.THEIRS, "enable east")]


def test_an_end_without_a_tunnel_is_told_to_have_one() -> None:
    bare = replace(plan_of(WEST, EAST), tunnels={})
    (meeting,) = rehearse(plan_of(EAST, WEST), bare).meetings
    assert _changes(meeting.obstacles[0]) == [(Side.THEIRS, "add an ipsec-tunnel with ike-gateway: east")]


def test_a_proxy_id_that_nobody_asks_for_is_an_obstacle_of_its_own() -> None:
    extra = replace(WEST, proxy_ids=(WEST.proxy_ids[0], ProxyId("web", "10.2.9.0/24", "10.1.0.0/16")))
    found = _obstacle(EAST, extra)
    assert found.title.startswith("Nobody asks for east:web")
    assert found.blocks == ((Side.THEIRS, "east:web"),)


@pytest.mark.parametrize(
    ("east", "words", "changes"),
    [
        (replace(EAST, passive=True), ("passive: true",), [(side, "set passive: false") for side in Side]),
        (replace(EAST, knows="dynamic"), ("peer-address: dynamic",), [(Side.THEIRS, "set passive: false")]),
    ],
)
def test_two_that_wait_are_told_who_could_begin(
    east: Party, words: tuple[str, ...], changes: list[tuple[Side, str]]
) -> None:
    found = _obstacle(east, WEST)
    assert found.reason is FailureReason.ONLY_RESPONDS
    assert found.points[0].ours.words == words
    assert _changes(found) == changes


def test_two_that_both_do_not_know_where_the_other_is_need_an_address() -> None:
    found = _obstacle(replace(EAST, knows="dynamic"), replace(OPEN, knows="dynamic"))
    assert _changes(found) == [(side, "give it the peer's address") for side in Side]
