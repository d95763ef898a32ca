"""Wireshark, given the keys, reads our IKE and our ESP, and finds every ICV correct."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from isthmus.lab.capture import Capture, write_pcap
from tests.interop.bench import LEFT, Bench
from tests.interop.ours import SUITES, Suite, ours, ours_telling_keys
from tests.interop.pairing import two_of_ours

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark (Debian: tshark)"),
]

# tshark 4.0 knows no ChaCha20-Poly1305, neither in IKE nor in ESP.
_KNOWN = [suite for suite in SUITES if not suite.name.startswith("chacha")]
_IKE_SA_INIT, _IKE_AUTH, _CREATE_CHILD_SA, _INFORMATIONAL = "34", "35", "36", "37"
_AUTH_PAYLOAD = "39"


@pytest.mark.parametrize("encapsulation", ["udp", "esp"])
@pytest.mark.parametrize("suite", _KNOWN, ids=lambda suite: suite.name)
def test_tshark_reads_everything_and_every_icv_is_correct(
    bench: Bench, tmp_path: Path, suite: Suite, encapsulation: str
) -> None:
    left, right = two_of_ours(suite, encapsulation=encapsulation)
    tables = tmp_path / "config/wireshark"
    with (
        Capture(bench.middle) as capture,
        ours(right, bench.right, tmp_path / "right"),
        ours_telling_keys(left, bench.left, tmp_path / "left", tables) as gateway,
    ):
        gateway.await_tunnels(20)
        assert bench.pings(0) == (4, 4)
        assert bench.pings(1, size=1000) == (4, 4)
        gateway.stop()
        write_pcap(capture.stop(), tmp_path / "wire.pcap")
    packets = _read(tmp_path, "isakmp.exchangetype", "isakmp.typepayload", "isakmp.enc.decrypted", "esp.icv_good")
    sealed = [p for p in packets if p["isakmp.exchangetype"] not in ("", _IKE_SA_INIT)]
    exchanges = Counter(p["isakmp.exchangetype"] for p in sealed)
    assert exchanges[_IKE_AUTH] == 2
    assert exchanges[_CREATE_CHILD_SA] == 2
    assert exchanges[_INFORMATIONAL] >= 2
    assert all(p["isakmp.enc.decrypted"] for p in sealed)
    assert all(
        _AUTH_PAYLOAD in p["isakmp.typepayload"].split(",") for p in sealed if p["isakmp.exchangetype"] == _IKE_AUTH
    )
    assert _count(tmp_path, "isakmp.ikev2.integrity_checksum || _ws.malformed") == 0
    assert _count(tmp_path, "esp") == 32
    assert _count(tmp_path, "esp && icmp.type == 8") == 16
    assert _count(tmp_path, "esp && icmp.type == 0") == 16
    assert _count(tmp_path, "esp.icv_bad == 1") == 0
    assert [p["esp.icv_good"] for p in packets if p["esp.icv_good"]].count("1") == 32
    assert _count(tmp_path, f"esp && ip.src == {LEFT}") == 16


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
