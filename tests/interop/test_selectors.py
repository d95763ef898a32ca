"""Traffic selectors with strongSwan: ranges, protocols and ports, ICMP, and parts of what we ask for, one by one."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isthmus.lab.gateways import RunningGateway
from isthmus.lab.namespaces import Namespace
from tests.interop.bench import LEFT_LANS, RIGHT_LANS, Bench
from tests.interop.echo import answered
from tests.interop.ours import ours
from tests.interop.pairing import our_side, their_side
from tests.interop.patience import until
from tests.interop.strongswan import Connection, Strongswan

pytestmark = pytest.mark.interop

_HERE, _THERE = "10.1.0.2-10.1.0.9", "10.2.0.1-10.2.0.200"
"""With an address of their gateway: without one their data plane refuses the selectors."""
_PORT, _OTHER_PORT = 7000, 7001

_ECHO = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind((sys.argv[1], int(sys.argv[2])))
    while True:
        s.sendto(*s.recvfrom(100))
"""
_ASK = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(0.3)
    for _ in range(3):
        s.sendto(b"question", (sys.argv[1], int(sys.argv[2])))
        try:
            sys.exit(s.recv(100) != b"question")
        except TimeoutError:
            pass
sys.exit(1)
"""


def _theirs(*pairs: tuple[str, str]) -> Connection:
    """With these selectors, theirs before ours, one pair for each child."""
    theirs = their_side(pfs=False)
    children = (
        dataclasses.replace(child, local_ts=local, remote_ts=remote)
        for child, (local, remote) in zip(theirs.children, pairs, strict=False)
    )
    return dataclasses.replace(theirs, children=tuple(children))


def _echo(where: Namespace, address: str, port: int) -> subprocess.Popen[bytes]:
    return where.start([sys.executable, "-I", "-c", _ECHO, address, str(port)])


def _asked(where: Namespace, address: str, port: int) -> bool:
    return where.run(sys.executable, "-I", "-c", _ASK, address, str(port)).returncode == 0


def _selectors(gateway: RunningGateway) -> list[tuple[list[str], list[str]]]:
    return sorted((row["local_ts"], row["remote_ts"]) for row in gateway.table("show", "ipsec-sa"))


@pytest.mark.parametrize(("begins", "wider"), [("ours", "nobody"), ("ours", "theirs"), ("theirs", "ours")])
def test_ranges_protocol_and_port_are_agreed_on_and_hold(
    bench: Bench, strongswan: Strongswan, tmp_path: Path, begins: str, wider: str
) -> None:
    narrow = f"local: {_HERE}, remote: {_THERE}, protocol: udp, remote-port: {_PORT}"
    wide = f"local: {LEFT_LANS[0]}, remote: {RIGHT_LANS[0]}"
    theirs = (
        (str(RIGHT_LANS[0]), str(LEFT_LANS[0])) if wider == "theirs" else (f"{_THERE}[udp/{_PORT}]", f"{_HERE}[udp]")
    )
    strongswan.load(_theirs(theirs))
    site = our_side(pfs=False, passive=begins == "theirs", proxy_ids=1)
    site = dataclasses.replace(site, proxies=(wide if wider == "ours" else narrow,))
    right = str(RIGHT_LANS[0][2])
    echoes = [_echo(bench.right_host, right, port) for port in (_PORT, _OTHER_PORT)]
    try:
        with ours(site, bench.left, tmp_path / "ours") as gateway:
            gateway.await_answers()
            if begins == "theirs":
                strongswan.initiate("one")
            gateway.await_tunnels()
            assert _selectors(gateway) == [([f"{_HERE}[udp]"], [f"{_THERE}[udp/{_PORT}]"])]
            assert _asked(bench.left_host, right, _PORT)
            assert not _asked(bench.left_host, right, _OTHER_PORT)
    finally:
        for echo in echoes:
            echo.kill()
            echo.wait()


def test_where_they_admit_nothing_but_icmp_nothing_else_passes(
    bench: Bench, strongswan: Strongswan, tmp_path: Path
) -> None:
    strongswan.load(_theirs((f"{RIGHT_LANS[0]}[icmp]", f"{LEFT_LANS[0]}[icmp]")))
    right = str(RIGHT_LANS[0][2])
    echo = _echo(bench.right_host, right, _PORT)
    try:
        with ours(our_side(pfs=False, proxy_ids=1), bench.left, tmp_path / "ours") as gateway:
            gateway.await_tunnels()
            assert _selectors(gateway) == [([f"{LEFT_LANS[0]}[icmp]"], [f"{RIGHT_LANS[0]}[icmp]"])]
            strongswan.await_routes()
            assert bench.pings(0) == (4, 4)
            assert not _asked(bench.left_host, right, _PORT)
    finally:
        echo.kill()
        echo.wait()


def test_one_type_of_icmp_message_is_agreed_on(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    """RFC 7296, 3.13.1: type and code stand where other protocols have ports. Echo requests pass, replies do not."""
    strongswan.load(_theirs((f"{RIGHT_LANS[0]}[icmp/2048]", f"{LEFT_LANS[0]}[icmp/2048]")))
    with ours(our_side(pfs=False, proxy_ids=1), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        ((local, remote),) = _selectors(gateway)
        assert (local, remote) == ([f"{LEFT_LANS[0]}[icmp/2048]"], [f"{RIGHT_LANS[0]}[icmp/2048]"])
        strongswan.await_routes()
        answered(bench.left_host, str(LEFT_LANS[0][2]), str(RIGHT_LANS[0][2]), count=3)
        (row,) = gateway.table("show", "ipsec-sa")
        assert row["packets_out"] >= 3


def test_each_packet_brings_the_part_of_our_selectors_that_they_admit(
    bench: Bench, strongswan: Strongswan, tmp_path: Path
) -> None:
    """RFC 7296, 2.9: one proxy ID of ours spans two children of theirs, each made when a packet needs it."""
    pairs = tuple((str(there), str(here)) for here, there in zip(LEFT_LANS, RIGHT_LANS, strict=True))
    strongswan.load(_theirs(*pairs))
    site = dataclasses.replace(
        our_side(pfs=False),
        start="on-demand",
        proxies=("local: 10.1.0.0-10.3.0.255, remote: 10.2.0.0-10.4.0.255",),
    )
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        for lan in (1, 0):
            until(lambda lan=lan: bench.pings(lan) == (4, 4), 15.0, gateway.story)  # type: ignore[misc]
        assert _selectors(gateway) == [([here], [there]) for there, here in pairs]
        assert len(gateway.table("show", "ike-sa")) == 1
        assert len(strongswan.child_sas()) == 2
        time.sleep(0.5)
        assert bench.pings(1) == (4, 4)


@pytest.mark.parametrize("begins", ["ours", "theirs"])
def test_what_has_nothing_in_common_is_told_with_both_lists(
    bench: Bench, strongswan: Strongswan, tmp_path: Path, begins: str
) -> None:
    strongswan.load(_theirs(("10.99.0.0/24", str(LEFT_LANS[0]))))
    with ours(our_side(pfs=False, passive=begins == "theirs", proxy_ids=1), bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        if begins == "theirs":
            with pytest.raises(AssertionError, match="TS_UNACCEPT"):
                strongswan.initiate("one")
            until(lambda: "10.99.0.0/24" in gateway.story(), 10.0, gateway.story)
        until(lambda: "selectors-unacceptable" in gateway.story(), 10.0, gateway.story)
        assert f"{LEFT_LANS[0]} <-> {RIGHT_LANS[0]}" in gateway.story()
        # The IKE SA stands (RFC 7296, 1.3.1).
        until(lambda: [row["state"] for row in gateway.table("show", "ike-sa")] == ["established"])
