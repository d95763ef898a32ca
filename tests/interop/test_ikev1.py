"""IKE version 1 with strongSwan 5.9: both modes of phase 1, both ways round, renewal, dead peers, NAT and fragments."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from isthmus.lab.gateways import RunningGateway
from tests.interop.bench import Bench
from tests.interop.middle import translate
from tests.interop.ours import KEY, Site, Suite, ours
from tests.interop.pairing import our_side, their_side, two_of_ours
from tests.interop.strongswan import Connection, Strongswan, missing

pytestmark = pytest.mark.interop

_THEIR_GROUPS = {
    "group1": "modp768",
    "group2": "modp1024",
    "group5": "modp1536",
    "group14": "modp2048",
    "group16": "modp4096",
    "group19": "ecp256",
    "group20": "ecp384",
    "group21": "ecp521",
}
_THEIR_CIPHERS = {"3des": "3des", "aes-128-cbc": "aes128", "aes-192-cbc": "aes192", "aes-256-cbc": "aes256"}


def suite(ike: str, esp: str, esp_hash: str) -> Suite:
    """`aes-256-cbc/sha256/group14` and a suite for ESP, in both spellings."""
    cipher, digest, group = ike.split("/")
    theirs = f"{_THEIR_CIPHERS[cipher]}-{digest}-{_THEIR_GROUPS[group]}"
    return Suite(
        f"{ike}+{esp}".replace("/", "-"),
        (cipher, digest, group),
        (esp, esp_hash),
        theirs,
        f"{_THEIR_CIPHERS[esp]}-{esp_hash}",
    )


STRONG = suite("aes-256-cbc/sha256/group14", "aes-256-cbc", "sha256")
OLD = suite("3des/md5/group1", "3des", "md5")
OTHER = suite("aes-256-cbc/sha384/group20", "aes-256-cbc", "sha384")
LARGE = suite("aes-256-cbc/sha256/group16", "aes-256-cbc", "sha256")
MODES = ("main", "aggressive")


def here(suite: Suite = STRONG, mode: str = "main", *, more: str = "", **settings: bool) -> Site:
    ikev1 = f"    ikev1: {{ike-crypto-profile: suite, exchange-mode: {mode}{more}}}\n"
    return replace(our_side(suite, **settings), version="ikev1", gateway=ikev1)


def there(suite: Suite = STRONG, mode: str = "main", *, pfs: bool = True, more: str = "", key: str = KEY) -> Connection:
    aggressive = "aggressive = yes\n" if mode == "aggressive" else ""
    return replace(their_side(suite, pfs=pfs, key=key), version=1, settings=aggressive + more)


@pytest.mark.parametrize("pfs", [True, False], ids=["pfs", "no-pfs"])
@pytest.mark.parametrize("mode", MODES)
def test_we_begin_and_two_proxy_ids_carry_traffic(
    shared_bench: Bench, shared_strongswan: Strongswan, tmp_path: Path, mode: str, pfs: bool
) -> None:
    shared_strongswan.load(there(mode=mode, pfs=pfs))
    with ours(here(mode=mode, pfs=pfs), shared_bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        _carries(shared_bench, gateway, shared_strongswan)
        assert [(row["version"], row["role"]) for row in gateway.table("show", "ike-sa")] == [("ikev1", "initiator")]


@pytest.mark.parametrize("pfs", [True, False], ids=["pfs", "no-pfs"])
@pytest.mark.parametrize("mode", MODES)
def test_the_peer_begins_and_two_proxy_ids_carry_traffic(
    shared_bench: Bench, shared_strongswan: Strongswan, tmp_path: Path, mode: str, pfs: bool
) -> None:
    shared_strongswan.load(there(mode=mode, pfs=pfs))
    with ours(here(mode="auto", pfs=pfs, passive=True), shared_bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        shared_strongswan.initiate("one")
        shared_strongswan.initiate("two")
        _carries(shared_bench, gateway, shared_strongswan)
        assert [(row["version"], row["role"]) for row in gateway.table("show", "ike-sa")] == [("ikev1", "responder")]


def test_weak_algorithms_are_named(shared_bench: Bench, shared_strongswan: Strongswan, tmp_path: Path) -> None:
    shared_strongswan.load(there(OLD, "aggressive"))
    with ours(here(OLD, "aggressive"), shared_bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        events = gateway.ask("show", "events").text
        for weak in ("3des", "md5", "group1", "aggressive mode"):
            assert f"weak algorithm, {weak}" in events


@pytest.mark.parametrize("who", ["we", "the-peer"])
@pytest.mark.parametrize("what", ["child", "ike"])
def test_renewal_loses_no_packet(
    shared_bench: Bench, shared_strongswan: Strongswan, tmp_path: Path, who: str, what: str
) -> None:
    shared_strongswan.load(there(more="reauth_time = 2h\n"))
    with ours(here(), shared_bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        children, ikes = _children(gateway), _ikes(gateway)
        with _pinging(shared_bench, tmp_path) as lost:
            if who == "we":
                verb = ("rekey", "ipsec-sa", "there:one") if what == "child" else ("rekey", "ike-sa", "there")
                assert gateway.ask(*verb).status == 0
            elif what == "child":
                shared_strongswan.rekey(child="one")
            else:
                shared_strongswan.rekey(ike="there")
            if what == "child":
                _until(lambda: bool(_children(gateway) - children), 10)
            else:
                _until(lambda: bool(_ikes(gateway)) and not _ikes(gateway) & ikes, 20)
            time.sleep(1.0)
        assert lost() == 0
        _until(lambda: shared_bench.pings(0) == (4, 4) and shared_bench.pings(1) == (4, 4), 5)


def test_dead_peer_detection_ends_it_and_it_comes_back(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    strongswan.load(there())
    dpd = ", dpd: {interval: 2s, retry: 2}"
    with ours(here(more=dpd), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        time.sleep(5.0)  # questions and answers, and it stands
        before = _ikes(gateway)
        assert len(before) == 1
        strongswan.kill()
        _until(lambda: not _ikes(gateway) & before, 15)
        again = Strongswan(bench.right, tmp_path / "again")
        try:
            again.load(there())
            gateway.await_tunnels()
            _until(lambda: bench.pings(0) == (4, 4))  # its routes come a little after its SAs
        finally:
            again.stop()


def test_we_answer_the_peers_dead_peer_detection(
    shared_bench: Bench, shared_strongswan: Strongswan, tmp_path: Path
) -> None:
    shared_strongswan.load(there(more="dpd_delay = 1s\ndpd_timeout = 4s\n"))
    with ours(here(more=", dpd: {enabled: false}"), shared_bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        before = _ikes(gateway)
        time.sleep(8.0)
        assert _ikes(gateway) == before
        assert len(shared_strongswan.ike_sas()) == 1


def test_what_the_peer_deletes_goes_and_what_we_clear_goes_at_the_peer(
    shared_bench: Bench, shared_strongswan: Strongswan, tmp_path: Path
) -> None:
    shared_strongswan.load(there())
    with ours(here(passive=True), shared_bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        shared_strongswan.initiate("one")
        shared_strongswan.initiate("two")
        shared_strongswan.terminate(child="two")
        _until(lambda: {row["proxy_id"] for row in gateway.table("show", "ipsec-sa")} == {"one"})
        assert shared_bench.pings(0) == (4, 4)
        assert gateway.ask("clear", "ipsec-sa", "there:one").status == 0
        _until(lambda: shared_strongswan.child_sas() == [])
        shared_strongswan.initiate("one")
        assert gateway.ask("clear", "ike-sa", "there").status == 0
        _until(lambda: shared_strongswan.ike_sas() == [])
        assert gateway.table("show", "ike-sa") == []
        shared_strongswan.initiate("one")
        shared_strongswan.terminate(ike="there")
        _until(lambda: gateway.table("show", "ike-sa") == [])


@pytest.mark.parametrize("mode", MODES)
def test_a_wrong_key_is_called_by_its_name(
    shared_bench: Bench, shared_strongswan: Strongswan, tmp_path: Path, mode: str
) -> None:
    shared_strongswan.load(there(mode=mode, key="another key"))
    with ours(here(mode=mode), shared_bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        answer = gateway.ask("test", "ike-sa", "there")
        assert answer.status == 8
        assert "authentication" in answer.text.lower()


def test_no_common_suite_shows_both_sides(shared_bench: Bench, shared_strongswan: Strongswan, tmp_path: Path) -> None:
    shared_strongswan.load(there(OTHER))
    with ours(here(STRONG), shared_bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        answer = gateway.ask("test", "ike-sa", "there")
        assert answer.status == 8
        assert "no-proposal-chosen" in answer.text.lower()
        with pytest.raises(AssertionError):
            shared_strongswan.initiate("one")
        assert "group20" in gateway.ask("show", "events").text


def test_through_a_nat_it_floats_to_the_other_port(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    strongswan.load(replace(there(), remote="%any"))
    translate(bench)
    with ours(here(), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        _carries(bench, gateway, strongswan)
        (row,) = gateway.table("show", "ike-sa")
        assert row["nat"] in ("local", "both")  # its kernel-libipsec claims a NAT of its own
        assert str(row["remote"]).endswith(":4500")


@pytest.mark.parametrize("who", ["we-begin", "the-peer-begins"])
def test_large_messages_go_in_pieces_from_both_ends(bench: Bench, tmp_path: Path, who: str) -> None:
    """A public value of 512 octets does not fit into packets of 576."""
    if (why := missing()) is not None:
        pytest.skip(f"no strongSwan: {why}")
    strongswan = Strongswan(bench.right, tmp_path / "strongswan", settings="fragment_size = 576")
    strongswan.load(there(LARGE, more="fragmentation = yes\n"))
    site = here(LARGE, passive=who == "the-peer-begins")
    site = replace(site, gateway=site.gateway + "    fragmentation: {size: 576}\n")
    try:
        with ours(site, bench.left, tmp_path / "ours") as gateway:
            gateway.await_answers()
            if who == "the-peer-begins":
                strongswan.initiate("one")
                strongswan.initiate("two")
            gateway.await_tunnels()
            _carries(bench, gateway, strongswan)
    finally:
        strongswan.stop()
    told = strongswan.log.read_text()
    assert "splitting IKE message" in told
    assert "received fragment" in told


def test_two_of_ours_agree(bench: Bench, tmp_path: Path) -> None:
    line = "    ikev1: {ike-crypto-profile: suite}\n"
    left, right = (replace(site, version="ikev1", gateway=line) for site in two_of_ours(STRONG))
    with ours(right, bench.right, tmp_path / "right") as other:
        other.await_answers()
        with ours(left, bench.left, tmp_path / "left") as gateway:
            gateway.await_tunnels()
            assert bench.pings(0) == (4, 4)
            assert bench.pings(1) == (4, 4)


def _carries(bench: Bench, gateway: RunningGateway, strongswan: Strongswan) -> None:
    _until(lambda: len(strongswan.child_sas()) == 2)  # it has them in force once our last message is there
    strongswan.await_routes(2)
    assert bench.pings(0) == (4, 4)
    assert bench.pings(1) == (4, 4)
    assert _children(gateway) == {
        (child["name"], int(child["spi-out"], 16), int(child["spi-in"], 16)) for child in strongswan.child_sas()
    }
    for row in gateway.table("show", "ipsec-sa"):
        assert (row["packets_in"], row["packets_out"]) == (8, 8)
        assert (row["replayed"], row["integrity_failed"]) == (0, 0)


def _children(gateway: RunningGateway) -> set[tuple[object, int, int]]:
    return {
        (row["proxy_id"], int(str(row["spi_in"]), 16), int(str(row["spi_out"]), 16))
        for row in gateway.table("show", "ipsec-sa")
        if row["state"] in ("installed", "rekeying")
    }


def _ikes(gateway: RunningGateway) -> set[object]:
    return {row["responder_spi"] for row in gateway.table("show", "ike-sa") if row["state"] == "established"}


class _pinging:  # noqa: N801 - reads as a word of the test
    """Echo requests from left to right, fifty a second, for as long as the block lasts."""

    def __init__(self, bench: Bench, home: Path) -> None:
        self._bench = bench
        self._home = home

    def __enter__(self) -> Callable[[], int]:
        command = ["ping", "-n", "-i", "0.02", "-W", "1", "-I", "10.1.0.2", "10.2.0.2"]
        self._output = self._home / "pinging"
        self._process = self._bench.left_host.start(command, output=self._output.open("wb"))
        time.sleep(0.3)
        return self._lost

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(2)
        self._process.wait(5)

    def _lost(self) -> int:
        """Gaps before the last answer; what was under way when ping was told to end is no loss."""
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", self._output.read_text())}
        assert len(answered) > 20
        return max(answered) - len(answered)


def _until(true: Callable[[], bool], limit: float = 10.0) -> None:
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)
