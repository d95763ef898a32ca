"""strongSwan 5.9 and ours, feature by feature: what each asks for, the other gives."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_interface, ip_network
from pathlib import Path

import pytest

from isthmus.lab.gateways import RunningGateway
from isthmus.lab.namespaces import Namespace
from isthmus.model.address import Address
from tests.interop.bench import LEFT, LEFT_LANS, RIGHT, RIGHT_LANS, Bench
from tests.interop.echo import answered
from tests.interop.middle import fragments_refused, refuse_fragments
from tests.interop.ours import MODERN, Site, Suite, ours
from tests.interop.pairing import OUR_ID, THEIR_ID, our_side, their_side
from tests.interop.patience import order, their_sas, their_spis, until
from tests.interop.strangers import flood, genuine_request
from tests.interop.stream import Stream
from tests.interop.strongswan import Child, Connection, Strongswan

pytestmark = pytest.mark.interop

_TWO_GROUPS = Suite(
    "two-groups",
    ("aes-128-gcm", "sha256", "group31, group14"),
    ("aes-128-gcm", "none"),
    "aes128gcm16-prfsha256-modp2048",
    "aes128gcm16",
)
"""We guess group31 first, they take nothing but group14."""

_LARGE = Suite(
    "large",
    ("aes-256-cbc", "sha384", "group14"),
    ("aes-256-gcm, aes-192-gcm, aes-128-gcm, aes-256-cbc, aes-192-cbc, aes-128-cbc, chacha20-poly1305, 3des", "sha384"),
    "aes256-sha384-modp2048",
    "aes256gcm16",
)
_LARGE_GROUP = "group18"
"""A public value of 1,024 octets: CREATE_CHILD_SA does not fit in 1,280 with it and with all those ciphers."""

_RATE = 200.0
_MOVES = 15.0
_LEFT_LATER, _RIGHT_LATER = IPv4Address("192.0.2.77"), IPv4Address("198.51.100.77")
_LEFT6, _RIGHT6 = IPv6Address("2001:db8:1::1"), IPv6Address("2001:db8:2::2")
_LEFT_LAN6, _RIGHT_LAN6 = IPv6Network("fd00:1::/64"), IPv6Network("fd00:2::/64")


def test_they_return_our_cookie(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    strongswan.load(their_side())
    site = dataclasses.replace(our_side(passive=True), more="settings: {cookie-activation-threshold: 0}")
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        strongswan.initiate("one")
        strongswan.await_routes()
        assert bench.pings(0) == (4, 4)
    assert "received COOKIE notify" in strongswan.log.read_text()


def test_we_return_their_cookie(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    # They ask for one while many have begun and not gone on.
    strongswan.load(dataclasses.replace(their_side(), remote="%any"))
    site = dataclasses.replace(our_side(), start="on-demand")
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        request = genuine_request(bench, gateway)
        flood(bench, RIGHT, request, tmp_path, rate=200, seconds=1).communicate(timeout=20)
        order(gateway, "test", "ipsec-sa", "there")
        strongswan.await_routes()
        assert bench.pings(0) == (4, 4)
    said = strongswan.log.read_text()
    assert "parsed IKE_SA_INIT request 0 [ N(COOKIE) SA KE" in said


@pytest.mark.parametrize("begins", ["ours", "theirs"])
def test_a_wrong_guess_of_the_group_is_corrected(
    bench: Bench, strongswan: Strongswan, tmp_path: Path, begins: str
) -> None:
    theirs, suite = their_side(_TWO_GROUPS, pfs=False), _TWO_GROUPS
    if begins == "theirs":
        theirs = dataclasses.replace(theirs, proposals="aes128gcm16-prfsha256-x25519-modp2048")
        suite = dataclasses.replace(_TWO_GROUPS, ike=("aes-128-gcm", "sha256", "group14"))
    strongswan.load(theirs)
    site = our_side(suite, pfs=False, passive=begins == "theirs")
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        if begins == "theirs":
            strongswan.initiate("one")
            strongswan.initiate("two")
        gateway.await_tunnels()
        assert [row["dh_group"] for row in gateway.table("show", "ike-sa")] == ["group14"]
        strongswan.await_routes(2)
        assert bench.pings(0) == (4, 4)
    assert "INVAL_KE" in strongswan.log.read_text()


def test_their_wrong_guess_is_corrected_in_a_rekey_too(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    # The first child needs no group, so only its rekey finds out.
    theirs = their_side()
    children = (dataclasses.replace(child, esp_proposals="aes128gcm16-x25519-modp2048") for child in theirs.children)
    strongswan.load(dataclasses.replace(theirs, children=tuple(children)))
    site = dataclasses.replace(our_side(proxy_ids=1), esp_group="group14")
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        strongswan.rekey(child="one")
        until(lambda: "group14" in [row["dh_group"] for row in gateway.table("show", "ipsec-sa")])
        strongswan.await_routes()
        assert bench.pings(0) == (4, 4)
    assert "INVAL_KE" in strongswan.log.read_text()


@pytest.mark.parametrize("wider", ["ours", "theirs"])
@pytest.mark.parametrize("begins", ["ours", "theirs"])
def test_the_narrower_selectors_count(
    bench: Bench, strongswan: Strongswan, tmp_path: Path, wider: str, begins: str
) -> None:
    here, there = LEFT_LANS[0], RIGHT_LANS[0]
    wide_here, wide_there = here.supernet(new_prefix=16), there.supernet(new_prefix=16)
    theirs = their_side(pfs=False)
    (child, _) = theirs.children
    site = our_side(pfs=False, passive=begins == "theirs", proxy_ids=1)
    if wider == "theirs":
        child = dataclasses.replace(child, local_ts=str(wide_there), remote_ts=str(wide_here))
    else:
        site = dataclasses.replace(site, lans=[wide_here], peer_lans=[wide_there])
    strongswan.load(dataclasses.replace(theirs, children=(child,)))
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        if begins == "theirs":
            strongswan.initiate("one")
        gateway.await_tunnels()
        (row,) = gateway.table("show", "ipsec-sa")
        assert (row["local_ts"], row["remote_ts"]) == ([str(here)], [str(there)])
        strongswan.await_routes()
        assert bench.pings(0) == (4, 4)


@pytest.mark.parametrize("inside", [4, 6])
def test_ipv6_outside_carries_either(bench: Bench, strongswan: Strongswan, tmp_path: Path, inside: int) -> None:
    _speak_ipv6(bench)
    site, connection = _over_ipv6(inside)
    strongswan.load(connection)
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        strongswan.await_routes()
        assert _crosses(bench, inside)


def test_ipv4_outside_carries_ipv6(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    _speak_ipv6(bench)
    (child, _) = their_side().children
    child = dataclasses.replace(child, local_ts=str(_RIGHT_LAN6), remote_ts=str(_LEFT_LAN6))
    strongswan.load(dataclasses.replace(their_side(), children=(child,)))
    site = dataclasses.replace(our_side(), lans=[_LEFT_LAN6], peer_lans=[_RIGHT_LAN6])
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        strongswan.await_routes()
        assert _crosses(bench, 6)


@pytest.mark.parametrize("size", [1280, 576])
@pytest.mark.parametrize("begins", ["ours", "theirs"])
def test_large_messages_pass_where_ip_fragments_do_not(
    bench: Bench, strongswan: Strongswan, tmp_path: Path, begins: str, size: int
) -> None:
    _narrow(bench)
    strongswan.load(_large_theirs())
    site = dataclasses.replace(
        our_side(_LARGE, passive=begins == "theirs"),
        esp_group=_LARGE_GROUP,
        gateway=f"    fragmentation: {{size: {size}}}",
    )
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        if begins == "theirs":
            strongswan.initiate("one")
            strongswan.initiate("two")
        gateway.await_tunnels()
        strongswan.await_routes(2)
        assert bench.pings(0) == (4, 4)
        assert bench.pings(1) == (4, 4)
        assert fragments_refused(bench.left) == fragments_refused(bench.right) == 0
        # The first child has no group of its own; its rekey is as large as the set-up of the second.
        before = their_spis(strongswan)
        if begins == "ours":
            order(gateway, "rekey", "ipsec-sa", "there:one")
        else:
            strongswan.rekey(child="one")
        until(lambda: their_spis(strongswan) != before)
        assert bench.pings(0) == (4, 4)


def test_without_fragmentation_they_do_not(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    # What the test above stands on: the middle does swallow them.
    _narrow(bench)
    strongswan.load(_large_theirs())
    site = dataclasses.replace(our_side(_LARGE), esp_group=_LARGE_GROUP, gateway="    fragmentation: {enabled: false}")
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        until(lambda: fragments_refused(bench.right) >= 2)
        states = {row["proxy_id"]: row["state"] for row in gateway.table("show", "tunnels")}
        assert states == {"one": "up", "two": "negotiating"}
        gateway.kill()


def test_their_dead_peer_detection_is_answered(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    strongswan.load(dataclasses.replace(their_side(), settings="dpd_delay = 1s"))
    site = our_side(passive=True)
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        strongswan.initiate("one")
        before = their_spis(strongswan)
        time.sleep(5)
        assert strongswan.log.read_text().count("sending DPD request") >= 2
        assert their_spis(strongswan) == before


def test_they_notice_our_death_and_begin_anew(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    # One child only: its user-space ESP mixes up the policies of several that it begins again at once.
    theirs = dataclasses.replace(their_side(), settings="dpd_delay = 1s")
    child = dataclasses.replace(theirs.children[0], settings="dpd_action = restart")
    strongswan.load(dataclasses.replace(theirs, children=(child,)))
    site = our_side(passive=True, proxy_ids=1)
    killed = ours(site, bench.left, tmp_path / "ours")
    killed.await_answers()
    strongswan.initiate("one")
    killed.kill()
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        strongswan.await_routes()
        assert bench.pings(0) == (4, 4)
        until(lambda: their_sas(strongswan) == (1, 1))


def test_an_ike_sa_without_a_child_is_accepted(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    # RFC 6023: the children follow by CREATE_CHILD_SA.
    strongswan.load(dataclasses.replace(their_side(), settings="childless = force"))
    with ours(our_side(passive=True), bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        strongswan.initiate("one")
        strongswan.initiate("two")
        gateway.await_tunnels()
        strongswan.await_routes(2)
        assert bench.pings(0) == (4, 4)
    assert "N(CHDLESS_SUP)" in strongswan.log.read_text()


def test_the_end_that_only_answers_says_how_long_they_are_authenticated_and_renews_it(
    bench: Bench, strongswan: Strongswan, tmp_path: Path
) -> None:
    strongswan.load(their_side())
    site = dataclasses.replace(our_side(passive=True, proxy_ids=1), multiple=2)
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        strongswan.initiate("one")
        until(lambda: "received AUTH_LIFETIME of 57600s" in strongswan.log.read_text(), 5.0)
        before = their_spis(strongswan)
        order(gateway, "rekey", "ike-sa", "there", "--reauthenticate")
        until(lambda: not before & their_spis(strongswan), what=gateway.story)
        until(lambda: [row["role"] for row in gateway.table("show", "ike-sa")] == ["initiator"], what=gateway.story)
        strongswan.await_routes()
        assert bench.pings(0) == (4, 4)


def test_they_move_to_another_address_and_are_followed(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    # RFC 4555: the one that began says from its new address where it is now, once the old one is gone.
    strongswan.load(dataclasses.replace(their_side(), local="%any"))
    with ours(our_side(passive=True), bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        strongswan.initiate("one")
        began = _established_at(gateway)
        with Stream.over(bench, tmp_path, rates=(_RATE, _RATE)) as stream:
            time.sleep(0.5)
            moved = time.monotonic()
            _arrive(bench, bench.right, "right", _RIGHT_LATER)
            _leave(bench.right, RIGHT)
            until(lambda: _where(gateway, "remote") == str(_RIGHT_LATER), _MOVES, gateway.story)
            time.sleep(1)
            account = stream.stop()
        print(f"traffic back {account.back_after(moved):.2f} s after the address changed\n{account}")
        assert account.back_after(moved) < _MOVES, str(account)
        assert _established_at(gateway) == began


def test_we_move_to_another_address_and_are_followed(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    strongswan.load(dataclasses.replace(their_side(), remote="%any"))
    with ours(our_side(), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        began = _established_at(gateway)
        with Stream.over(bench, tmp_path, rates=(_RATE, _RATE)) as stream:
            time.sleep(0.5)
            moved = time.monotonic()
            _arrive(bench, bench.left, "left", _LEFT_LATER)
            dataclasses.replace(our_side(), local=_LEFT_LATER).write(tmp_path / "ours")
            os.kill(gateway.pid, signal.SIGHUP)
            until(lambda: _where(gateway, "local") == str(_LEFT_LATER), _MOVES, gateway.story)
            _leave(bench.left, LEFT)
            time.sleep(1)
            account = stream.stop()
        print(f"traffic back {account.back_after(moved):.2f} s after the address changed\n{account}")
        assert account.back_after(moved) < _MOVES, str(account)
        assert _established_at(gateway) == began


@pytest.mark.parametrize("begins", ["ours", "theirs"])
def test_profiles_in_other_orders_meet(bench: Bench, strongswan: Strongswan, tmp_path: Path, begins: str) -> None:
    theirs = dataclasses.replace(
        their_side(), proposals="aes256-sha384-ecp384,aes128gcm16-prfsha256-modp2048,aes128gcm16-prfsha256-x25519"
    )
    strongswan.load(theirs)
    with ours(our_side(MODERN, passive=begins == "theirs"), bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        if begins == "theirs":
            strongswan.initiate("one")
            strongswan.initiate("two")
        gateway.await_tunnels()
        strongswan.await_routes(2)
        assert bench.pings(1) == (4, 4)


def _large_theirs() -> Connection:
    children = tuple(
        Child(name, str(theirs), str(ours_), "aes256gcm16-modp8192")
        for name, ours_, theirs in zip(("one", "two"), LEFT_LANS, RIGHT_LANS, strict=True)
    )
    return dataclasses.replace(their_side(_LARGE, pfs=False), children=children, settings="fragmentation = yes")


def _arrive(bench: Bench, gateway: Namespace, side: str, address: IPv4Address) -> None:
    """The host gets a further address."""
    bench.middle.route(ip_network(f"{address}/32"), side)
    gateway.address("eth0", ip_interface(f"{address}/32"))


def _leave(gateway: Namespace, address: Address) -> None:
    done = gateway.run("ip", "address", "del", f"{address}/32", "dev", "eth0")
    assert done.returncode == 0, done.stderr


def _where(gateway: RunningGateway, end: str) -> str:
    """The address of one end of the only IKE SA."""
    (row,) = gateway.table("show", "ike-sa")
    return str(row[end]).rpartition(":")[0]


def _established_at(gateway: RunningGateway) -> object:
    (row,) = gateway.table("show", "ike-sa")
    return row["established_at"]


def _narrow(bench: Bench) -> None:
    """1,280 octets are the most that passes the middle whole, and nothing passes in pieces."""
    for address, side in (("192.0.2.1", "left"), (str(RIGHT), "right")):
        done = bench.middle.run("ip", "route", "change", f"{address}/32", "dev", side, "mtu", "lock", "1280")
        assert done.returncode == 0, done.stderr
    for where in (bench.left, bench.middle, bench.right):
        refuse_fragments(where)


def _speak_ipv6(bench: Bench) -> None:
    router = ip_interface("fe80::1/128")
    for side, gateway, address in (("left", bench.left, _LEFT6), ("right", bench.right, _RIGHT6)):
        bench.middle.address(side, router)
        gateway.address("eth0", ip_interface(f"{address}/128"))
        gateway.route(ip_network("::/0"), "eth0", via=router.ip)
        bench.middle.route(ip_network(f"{address}/128"), side)
    for gateway, host, lan in (
        (bench.left, bench.left_host, _LEFT_LAN6),
        (bench.right, bench.right_host, _RIGHT_LAN6),
    ):
        gateway.address("eth1", ip_interface(f"{lan[1]}/64"))
        host.address("eth0", ip_interface(f"{lan[2]}/64"))
        host.route(ip_network("::/0"), "eth0", via=lan[1])


def _over_ipv6(inside: int) -> tuple[Site, Connection]:
    here, there = (LEFT_LANS[0], RIGHT_LANS[0]) if inside == 4 else (_LEFT_LAN6, _RIGHT_LAN6)
    site = dataclasses.replace(our_side(proxy_ids=1), local=_LEFT6, peer=_RIGHT6, lans=[here], peer_lans=[there])
    theirs = their_side()
    child = dataclasses.replace(theirs.children[0], local_ts=str(there), remote_ts=str(here))
    return site, dataclasses.replace(
        theirs, local=str(_RIGHT6), remote=str(_LEFT6), local_id=THEIR_ID, remote_id=OUR_ID, children=(child,)
    )


def _crosses(bench: Bench, version: int) -> bool:
    here, there = (LEFT_LANS[0][2], RIGHT_LANS[0][2]) if version == 4 else (_LEFT_LAN6[2], _RIGHT_LAN6[2])
    return (
        answered(bench.left_host, str(here), str(there)) == 4 and answered(bench.right_host, str(there), str(here)) == 4
    )
