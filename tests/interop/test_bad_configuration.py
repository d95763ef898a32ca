"""A bad configuration, through the real command line: all of it at once, with its places."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

_BAD = """\
interfaces:
  eth0: {zone: untrust, virtual-router: default}
  tunnel.1: {zone: vpn, virtual-router: default, mtuu: 1400}
zones: {untrust: {}, vpn: {}}
virtual-routers: {default: {}}
ike-crypto-profiles:
  mine: {encryption: [aes-256-gmc], hash: [sha256], dh-group: [group31]}
ike-gateways:
  hq:
    interface: eth0
    peer-address: 192.0.2.1
    authentication: {pre-shared-key: {file: missing.psk}}
    ikev2: {ike-crypto-profile: mien}
    liveness: {interval: 5s}
ipsec-tunnels:
  hq: {tunnel-interface: tunnel.1, ike-gateway: hq}
  hq: {tunnel-interface: tunnel.1, ike-gateway: hq}
"""
_EXPECTED = [
    (3, "UNKNOWN-KEY", "mtu"),
    (7, "UNKNOWN-VALUE", "aes-256-gcm"),
    (12, "NO-SECRET", "missing.psk"),
    (13, "UNKNOWN-NAME", "mine"),
    (14, "UNKNOWN-KEY", "liveness"),
    (17, "DUPLICATE", "hq"),
]


@pytest.mark.parametrize("verb", [["check"], ["run", "--config"]], ids=["check", "run"])
def test_every_problem_is_told_with_its_place_and_status_5(tmp_path: Path, verb: list[str]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(_BAD)
    done = subprocess.run(
        [sys.executable, "-m", "isthmus", "--socket", tmp_path / "socket", *verb, file],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    told = re.findall(rf"^{re.escape(str(file))}:(\d+):(\d+): ([A-Z-]+): (.*)$", done.stdout + done.stderr, re.M)
    for line, code, word in _EXPECTED:
        assert any(int(at) == line and name == code and word in text for at, _, name, text in told), (line, told)
    assert not (tmp_path / "socket").exists()
