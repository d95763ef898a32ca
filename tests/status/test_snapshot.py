from __future__ import annotations

from dataclasses import asdict, replace

from isthmus.model.plan import Ikev1Plan, NamedPeer, Version
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.sa_spec import SaCounters, SaId
from isthmus.status.snapshot import gateway_rows, ike_sa_row, ipsec_sa_row, tunnel_row
from tests.api.fakes import AEAD, FakeGateway, carrying, child_view, ike_view, moment, two_sites


def nothing(_sa: SaId) -> SaCounters:
    return SaCounters()


def test_an_ike_sa_tells_its_suite_spis_and_times() -> None:
    row = asdict(ike_sa_row(ike_view(child_view("branch:lan"), child_view("branch:web")), moment()))
    assert row == {
        "gateway": "branch",
        "version": "ikev2",
        "role": "initiator",
        "state": "established",
        "local": "192.0.2.1:4500",
        "remote": "198.51.100.2:4500",
        "local_id": "fqdn:hq.example",
        "remote_id": "fqdn:branch.example",
        "initiator_spi": "0x0102030405060708",
        "responder_spi": "0x090a0b0c0d0e0f10",
        "encryption": "aes-128-cbc",
        "integrity": "sha1",
        "prf": "sha256",
        "dh_group": "group14",
        "nat": "local",
        "established_at": "2027-01-15T07:59:00Z",
        "rekey_in": 25000,
        "reauth_in": None,
        "children": ["branch:lan", "branch:web"],
        "vendors": [],
    }


def test_an_ike_sa_that_has_agreed_on_nothing_yet_has_nulls() -> None:
    row = ike_sa_row(ike_view(state="connecting", peer=None), moment())
    assert (row.gateway, row.remote_id, row.encryption, row.dh_group, row.established_at) == (None,) * 5
    assert row.responder_spi == "0x0000000000000000"


def test_a_child_sa_tells_its_counters_by_direction() -> None:
    child = child_view()
    seen = carrying(
        child,
        inbound=SaCounters(packets=7, octets=700, replayed=2, integrity_failed=1),
        outbound=SaCounters(packets=5, octets=500),
    )
    row = asdict(ipsec_sa_row(child, seen.__getitem__, moment()))
    assert row == {
        "tunnel": "branch",
        "proxy_id": "lan",
        "gateway": "branch",
        "protocol": "esp",
        "mode": "tunnel",
        "encapsulation": "udp",
        "state": "installed",
        "spi_in": "0xc94d2f01",
        "spi_out": "0x01a3b9d2",
        "encryption": "aes-256-gcm",
        "integrity": None,
        "dh_group": "group20",
        "esn": False,
        "local_ts": ["10.1.0.0/16"],
        "remote_ts": ["10.2.0.0/16", "10.9.0.0/24[tcp/443]"],
        "bytes_in": 700,
        "bytes_out": 500,
        "packets_in": 7,
        "packets_out": 5,
        "replay_window": 1024,
        "replayed": 2,
        "integrity_failed": 1,
        "established_at": "2027-01-15T07:59:00Z",
        "rekey_in": 3000,
        "expires_in": 3540,
    }


def test_a_child_without_a_fresh_key_exchange_has_no_group() -> None:
    child = replace(child_view(), suite=replace(AEAD, ke=None), udp=False)
    row = ipsec_sa_row(child, nothing, moment())
    assert (row.dh_group, row.encapsulation) == (None, "none")


def test_authentication_alone_has_no_encryption() -> None:
    child = replace(child_view(), protocol=Protocol.AH, suite=Suite(Protocol.AH, None, None, None, None))
    row = ipsec_sa_row(child, nothing, moment())
    assert (row.protocol, row.encryption) == ("ah", None)


def test_a_tunnel_has_the_zone_and_router_of_its_interface() -> None:
    plan = two_sites()
    views = FakeGateway(plan, (ike_view(child_view("branch:lan")),), {"branch:web": "TS_UNACCEPTABLE"}).tunnels()
    lan, web, road = (asdict(tunnel_row(view, plan)) for view in views)
    assert lan == {
        "tunnel": "branch",
        "proxy_id": "lan",
        "interface": "tunnel.1",
        "gateway": "branch",
        "state": "up",
        "reason": None,
        "monitor": "off",
        "zone": "vpn",
        "virtual_router": "default",
    }
    assert (web["state"], web["reason"]) == ("down", "TS_UNACCEPTABLE")
    assert (road["proxy_id"], road["zone"], road["virtual_router"]) == (None, None, None)


def test_a_gateway_shows_its_best_ike_sa_and_its_tunnels() -> None:
    branch, roamer = gateway_rows(two_sites(), (ike_view(state="deleting"), ike_view(), ike_view(state="connecting")))
    assert (branch.state, branch.peer, branch.peer_id, branch.tunnels) == (
        "established",
        "198.51.100.2",
        "fqdn:branch.example",
        ["branch"],
    )
    assert (roamer.state, roamer.peer, roamer.peer_id, roamer.passive) == ("down", "dynamic", None, True)


def test_a_gateway_that_is_found_by_name_shows_the_name() -> None:
    plan = two_sites()
    peer = replace(plan.peers["branch"], address=NamedPeer("branch.example"), version=Version.IKEV2_PREFERRED)
    (row,) = gateway_rows(replace(plan, peers={"branch": peer}), ())
    assert (row.peer, row.version, row.spoken) == ("branch.example", "ikev2-preferred", None)


def test_the_version_that_is_spoken_and_its_profile_are_shown() -> None:
    plan = two_sites()
    old = replace(plan.peers["branch"].profile, name="old")
    peer = replace(plan.peers["branch"], version=Version.IKEV2_PREFERRED, ikev1=Ikev1Plan(old))
    plan = replace(plan, peers={"branch": peer})
    older, newer = replace(ike_view(), version=Version.IKEV1), ike_view()
    (by_ikev1,) = gateway_rows(plan, (older, replace(newer, state="connecting")))
    assert (by_ikev1.spoken, by_ikev1.profile, by_ikev1.state) == ("ikev1", "old", "established")
    (by_ikev2,) = gateway_rows(plan, (replace(older, state="deleting"), newer))
    assert (by_ikev2.spoken, by_ikev2.profile) == ("ikev2", peer.profile.name)


def test_no_secret_stands_in_a_gateway_row() -> None:
    assert "not to be seen" not in str(gateway_rows(two_sites(), ()))
