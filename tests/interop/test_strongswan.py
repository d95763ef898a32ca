"""Ours with strongSwan 5.9: every suite of the first issue, both ways round, and the truth about each step."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from isthmus.lab.gateways import RunningGateway
from tests.interop.bench import Bench
from tests.interop.ours import MODERN, SUITES, Suite, ours
from tests.interop.pairing import our_side, their_side
from tests.interop.strongswan import Strongswan

pytestmark = pytest.mark.interop

_OUR_NAME = {
    "AES_CBC": "aes-{}-cbc",
    "AES_GCM_16": "aes-{}-gcm",
    "3DES_CBC": "3des",
    "CHACHA20_POLY1305": "chacha20-poly1305",
    "HMAC_SHA1_96": "sha1",
    "HMAC_SHA2_384_192": "sha384",
    "PRF_HMAC_SHA1": "sha1",
    "PRF_HMAC_SHA2_256": "sha256",
    "PRF_HMAC_SHA2_384": "sha384",
    "CURVE_25519": "group31",
    "ECP_384": "group20",
    "MODP_2048": "group14",
    "MODP_1024": "group2",
}


@pytest.mark.parametrize("pfs", [True, False], ids=["pfs", "no-pfs"])
@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_we_begin_and_two_proxy_ids_carry_traffic(
    bench: Bench, strongswan: Strongswan, tmp_path: Path, suite: Suite, pfs: bool
) -> None:
    strongswan.load(their_side(suite, pfs=pfs))
    with ours(our_side(suite, pfs=pfs), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        _carries_and_tells_the_truth(bench, gateway, strongswan)
        assert {row["role"] for row in gateway.table("show", "ike-sa")} == {"initiator"}


@pytest.mark.parametrize("pfs", [True, False], ids=["pfs", "no-pfs"])
@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_the_peer_begins_and_two_proxy_ids_carry_traffic(
    bench: Bench, strongswan: Strongswan, tmp_path: Path, suite: Suite, pfs: bool
) -> None:
    strongswan.load(their_side(suite, pfs=pfs))
    with ours(our_side(suite, pfs=pfs, passive=True), bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        strongswan.initiate("one")
        strongswan.initiate("two")
        _carries_and_tells_the_truth(bench, gateway, strongswan)
        assert {row["role"] for row in gateway.table("show", "ike-sa")} == {"responder"}


def _carries_and_tells_the_truth(bench: Bench, gateway: RunningGateway, strongswan: Strongswan) -> None:
    strongswan.await_routes(2)
    assert bench.pings(0) == (4, 4)
    assert bench.pings(1) == (4, 4)
    assert _our_children(gateway) == _their_children(strongswan)
    assert _our_ike(gateway) == _their_ike(strongswan)
    for row in gateway.table("show", "ipsec-sa"):
        assert row["state"] == "installed"
        assert row["encapsulation"] == "udp"  # their ESP asks for it
        assert (row["packets_in"], row["packets_out"]) == (8, 8)
        assert (row["replayed"], row["integrity_failed"]) == (0, 0)


def test_show_tells_the_truth_at_each_step(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    strongswan.load(their_side())
    with ours(our_side(passive=True), bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        assert _states(gateway) == {"one": "down", "two": "down"}
        assert gateway.table("show", "ike-sa") == []
        assert gateway.table("show", "ipsec-sa") == []
        strongswan.initiate("one")
        _until(lambda: _states(gateway) == {"one": "up", "two": "down"})
        strongswan.initiate("two")
        _until(lambda: _states(gateway) == {"one": "up", "two": "up"})
        assert _our_children(gateway) == _their_children(strongswan)
        strongswan.terminate(child="two")
        _until(lambda: _states(gateway) == {"one": "up", "two": "down"})
        assert _our_children(gateway) == _their_children(strongswan)
        strongswan.await_routes()
        assert bench.pings(0) == (4, 4)
        strongswan.terminate(ike="there")
        _until(lambda: _states(gateway) == {"one": "down", "two": "down"})
        assert gateway.table("show", "ike-sa") == []
        assert gateway.table("show", "ipsec-sa") == []


def test_what_we_clear_is_gone_at_the_peer(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    strongswan.load(their_side())
    with ours(our_side(passive=True), bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        strongswan.initiate("one")
        strongswan.initiate("two")
        assert gateway.ask("clear", "ipsec-sa", "there:two").status == 0
        _until(lambda: [child["name"] for child in strongswan.child_sas()] == ["one"])
        assert _our_children(gateway) == _their_children(strongswan)
        assert gateway.ask("clear", "ike-sa", "there").status == 0
        _until(lambda: strongswan.ike_sas() == [])
        assert gateway.table("show", "ike-sa") == []


def test_a_tunnel_that_is_to_be_up_comes_back_when_the_peer_deletes_it(
    bench: Bench, strongswan: Strongswan, tmp_path: Path
) -> None:
    strongswan.load(their_side())
    with ours(our_side(), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        before = _our_children(gateway)
        strongswan.terminate(ike="there")
        _until(lambda: len(_our_children(gateway)) == 2 and not _our_children(gateway) & before, 20)
        gateway.await_tunnels()
        strongswan.await_routes()
        assert bench.pings(0) == (4, 4)
        assert _our_children(gateway) == _their_children(strongswan)


def test_ending_the_process_deletes_the_sas_at_the_peer_and_leaves_nothing(
    bench: Bench, strongswan: Strongswan, tmp_path: Path
) -> None:
    strongswan.load(their_side())
    with ours(our_side(), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        assert gateway.remains() != ()
        assert gateway.stop() == 0
        assert gateway.remains() == ()
        assert _rules(bench) == ""
    _until(lambda: strongswan.ike_sas() == [])


def test_after_a_kill_the_next_start_cleans_up_and_carries_on(
    bench: Bench, strongswan: Strongswan, tmp_path: Path
) -> None:
    strongswan.load(their_side())
    untouched = bench.left.fingerprint()
    killed = ours(our_side(), bench.left, tmp_path / "ours")
    killed.await_tunnels()
    killed.kill()
    with ours(our_side(), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        strongswan.await_routes()
        assert bench.pings(0) == (4, 4)
        # INITIAL_CONTACT: the peer has thrown away what the dead process had.
        _until(lambda: len(strongswan.ike_sas()) == 1)
        assert gateway.stop() == 0
    assert bench.left.fingerprint() == untouched
    assert _rules(bench) == ""


def test_a_wrong_key_is_called_by_its_name(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    strongswan.load(their_side(key="another key"))
    with ours(our_side(passive=False), bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        answer = gateway.ask("test", "ike-sa", "there")
        assert answer.status == 8
        assert "authentication" in answer.text.lower()


def test_no_common_suite_shows_both_sides(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    strongswan.load(their_side(SUITES[1]))
    with ours(our_side(MODERN), bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        answer = gateway.ask("test", "ike-sa", "there")
        assert answer.status == 8
        assert "aes-128-gcm" in answer.text
        with pytest.raises(AssertionError):
            strongswan.initiate("one")
        events = gateway.ask("show", "events").text
        assert "aes-256-gcm" in events


def _states(gateway: RunningGateway) -> dict[object, object]:
    return {row["proxy_id"]: row["state"] for row in gateway.table("show", "tunnels")}


def _our_children(gateway: RunningGateway) -> set[tuple[object, ...]]:
    return {
        (
            row["proxy_id"],
            int(str(row["spi_in"]), 16),
            int(str(row["spi_out"]), 16),
            row["encryption"],
            row["integrity"],
            row["dh_group"],
            _one(row["local_ts"]),
            _one(row["remote_ts"]),
        )
        for row in gateway.table("show", "ipsec-sa")
        if row["state"] == "installed"
    }


def _their_children(strongswan: Strongswan) -> set[tuple[object, ...]]:
    return {
        (
            child["name"],
            int(child["spi-out"], 16),
            int(child["spi-in"], 16),
            _algorithm(child, "encr"),
            _algorithm(child, "integ"),
            _algorithm(child, "dh"),
            child["remote-ts"],
            child["local-ts"],
        )
        for child in strongswan.child_sas()
    }


def _our_ike(gateway: RunningGateway) -> set[tuple[object, ...]]:
    return {
        (
            int(str(row["initiator_spi"]), 16),
            int(str(row["responder_spi"]), 16),
            row["encryption"],
            row["integrity"],
            row["prf"],
            row["dh_group"],
            row["local_id"],
            row["remote_id"],
            str(row["state"]).upper(),
        )
        for row in gateway.table("show", "ike-sa")
    }


def _their_ike(strongswan: Strongswan) -> set[tuple[object, ...]]:
    return {
        (
            int(str(sa["initiator-spi"]), 16),
            int(str(sa["responder-spi"]), 16),
            _algorithm(sa, "encr"),
            _algorithm(sa, "integ"),
            _algorithm(sa, "prf"),
            _algorithm(sa, "dh"),
            f"fqdn:{sa['remote-id']}",
            f"fqdn:{sa['local-id']}",
            sa["state"],
        )
        for sa in strongswan.ike_sas()
    }


def _algorithm(sa: dict[str, object] | dict[str, str], kind: str) -> str | None:
    """strongSwan's name for it in our spelling; None where it names none."""
    name = sa.get(f"{kind}-alg", sa.get(f"{kind}-group"))
    return _OUR_NAME[str(name)].format(sa.get(f"{kind}-keysize")) if name else None


def _one(value: object) -> object:
    (single,) = value if isinstance(value, list) else (value,)
    return single


def _rules(bench: Bench) -> str:
    return bench.left.run("nft", "list", "ruleset").stdout


def _until(true: Callable[[], bool], limit: float = 10.0) -> None:
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)
