"""Wireshark, given the keys, reads our IKE and our ESP, and finds every ICV correct."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from isthmus.lab.capture import Capture, write_pcap
from isthmus.lab.gateways import RunningGateway
from tests.interop.bench import LEFT, LEFT_LANS, RIGHT_LANS, Bench
from tests.interop.ours import SUITES, Suite, ours, ours_telling_keys
from tests.interop.pairing import our_side, their_side, two_of_ours
from tests.interop.strongswan import Strongswan

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark (Debian: tshark)"),
]

# tshark 4.0 knows no ChaCha20-Poly1305, neither in IKE nor in ESP.
_KNOWN = [suite for suite in SUITES if not suite.name.startswith("chacha")]
_IKE_SA_INIT, _IKE_AUTH, _CREATE_CHILD_SA, _INFORMATIONAL = "34", "35", "36", "37"
_AUTH_PAYLOAD = "39"


@pytest.mark.parametrize("suite", _KNOWN, ids=lambda suite: suite.name)
def test_every_icv_is_correct_towards_a_peer_without_esn(
    bench: Bench, strongswan: Strongswan, tmp_path: Path, suite: Suite
) -> None:
    strongswan.load(their_side(suite))
    with (
        Capture(bench.middle) as capture,
        ours_telling_keys(our_side(suite), bench.left, tmp_path, tmp_path / "config/wireshark") as gateway,
    ):
        _talk(bench, gateway)
        write_pcap(capture.stop(), tmp_path / "wire.pcap")
    _reads_ike(tmp_path)
    _reads_esp(tmp_path)
    assert _count(tmp_path, "esp.icv_good == 1") == 32
    assert _count(tmp_path, "esp.icv_bad == 1") == 0


@pytest.mark.parametrize("encapsulation", ["udp", "esp"])
def test_two_of_ours_can_be_read(bench: Bench, tmp_path: Path, encapsulation: str) -> None:
    # They agree on extended sequence numbers, and tshark 4.0 cannot compute their ICV.
    # scapy can: tests/dataplane does that for every suite.
    left, right = two_of_ours(encapsulation=encapsulation)
    with (
        Capture(bench.middle) as capture,
        ours(right, bench.right, tmp_path / "right") as there,
        ours_telling_keys(left, bench.left, tmp_path / "left", tmp_path / "config/wireshark") as gateway,
    ):
        there.await_answers()
        _talk(bench, gateway)
        write_pcap(capture.stop(), tmp_path / "wire.pcap")
    _reads_ike(tmp_path)
    _reads_esp(tmp_path)


@pytest.mark.skipif(shutil.which("ethtool") is None, reason="needs ethtool (Debian: ethtool)")
def test_a_train_is_cut_into_packets_with_a_correct_icv_each(
    bench: Bench, strongswan: Strongswan, tmp_path: Path
) -> None:
    # A wire that computes no checksums takes one datagram at a time, and so a capture sees each.
    bench.left.run("ethtool", "-K", "eth0", "tx", "off")
    strongswan.load(their_side())
    with (
        Capture(bench.middle) as capture,
        ours_telling_keys(our_side(), bench.left, tmp_path, tmp_path / "config/wireshark") as gateway,
    ):
        gateway.await_tunnels()
        data = bytes(range(256)) * 4096
        assert _through(bench, data) == data
        gateway.stop()
        write_pcap(capture.stop(), tmp_path / "wire.pcap")
    assert capture.missed == 0
    assert _count(tmp_path, "frame.len > 1500") == 0
    assert _count(tmp_path, f"esp && ip.src == {LEFT}") > len(data) // 1500
    assert _count(tmp_path, "esp.icv_good == 1") == _count(tmp_path, "esp")
    # A host that has not seen the connection end when the tunnel does says it again, past strongSwan, in the clear.
    assert _count(tmp_path, "esp && tcp") == _count(tmp_path, "esp && tcp.checksum.status == 1")


def _through(bench: Bench, data: bytes) -> bytes:
    """A stream from the left host to the right one, as it arrives."""
    with bench.right_host.inside():
        listener = socket.create_server((str(RIGHT_LANS[0][2]), 7))
    with bench.left_host.inside():
        sender = socket.socket()
    with listener, sender, ThreadPoolExecutor() as pool:
        listener.settimeout(20)
        sender.settimeout(20)
        sender.bind((str(LEFT_LANS[0][2]), 0))
        sender.connect((str(RIGHT_LANS[0][2]), 7))
        pool.submit(_send, sender, data)
        receiver, _ = listener.accept()
        with receiver:
            receiver.settimeout(20)
            return b"".join(iter(lambda: receiver.recv(1 << 16), b""))


def _send(sender: socket.socket, data: bytes) -> None:
    sender.sendall(data)
    sender.shutdown(socket.SHUT_WR)


def _talk(bench: Bench, gateway: RunningGateway) -> None:
    gateway.await_tunnels()
    assert bench.pings(0) == (4, 4)
    assert bench.pings(1, size=1000) == (4, 4)
    gateway.stop()


def _reads_ike(home: Path) -> None:
    packets = _read(home, "isakmp.exchangetype", "isakmp.typepayload", "isakmp.enc.decrypted")
    sealed = [p for p in packets if p["isakmp.exchangetype"] not in ("", _IKE_SA_INIT)]
    exchanges = Counter(p["isakmp.exchangetype"] for p in sealed)
    assert exchanges[_IKE_AUTH] == 2
    assert exchanges[_CREATE_CHILD_SA] == 2
    assert exchanges[_INFORMATIONAL] >= 2
    assert all(p["isakmp.enc.decrypted"] for p in sealed)
    for packet in sealed:
        if packet["isakmp.exchangetype"] == _IKE_AUTH:
            assert _AUTH_PAYLOAD in packet["isakmp.typepayload"].split(",")
    assert _count(home, "isakmp.ikev2.integrity_checksum || _ws.malformed") == 0


def _reads_esp(home: Path) -> None:
    assert _count(home, "esp") == 32
    assert _count(home, "esp && icmp.type == 8") == 16
    assert _count(home, "esp && icmp.type == 0") == 16
    assert _count(home, f"esp && ip.src == {LEFT}") == 16


def _read(home: Path, *fields: str) -> list[dict[str, str]]:
    wanted = [word for field in fields for word in ("-e", field)]
    lines = _tshark(home, "-T", "fields", "-E", "separator=;", *wanted).splitlines()
    return [dict(zip(fields, line.split(";"), strict=True)) for line in lines]


def _count(home: Path, condition: str) -> int:
    return len(_tshark(home, "-Y", condition).splitlines())


def _tshark(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [
            "tshark",
            *("-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE"),
            *("-o", "tcp.check_checksum:TRUE"),
            *("-r", str(home / "wire.pcap"), *arguments),
        ],
        env=os.environ | {"XDG_CONFIG_HOME": str(home / "config")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    complaints = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    assert complaints == []
    return done.stdout
