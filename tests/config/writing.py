"""Configurations to be wrong in one place: `▶` marks where the problem is expected, and is taken out before reading."""

from __future__ import annotations

import tempfile
from pathlib import Path

from isthmus.config.load import Document, load
from isthmus.config.problems import Problem

MARK = "▶"
PSK = "Zb8vQm3xK1tR7yWc9LpN4sDf6HgJ2aEu"
ENVIRONMENT = {"PSK": PSK}

SOUND = """\
interfaces:
  eth0: {zone: untrust, virtual-router: default}
  eth1: {zone: trust, virtual-router: default}
  tunnel.1: {zone: vpn, virtual-router: default, address: [10.255.0.1/30]}
  tunnel.2: {zone: vpn, virtual-router: default}
zones: {untrust: {}, trust: {}, vpn: {}}
virtual-routers:
  default:
    static-routes:
      branch: {destination: 10.2.0.0/16, interface: tunnel.1}
ike-crypto-profiles:
  strong: {encryption: [aes-256-gcm], hash: [sha384], dh-group: [group31]}
ipsec-crypto-profiles:
  strong: {esp: {encryption: [aes-256-gcm]}, dh-group: group20}
ike-gateways:
  branch:
    interface: eth0
    local-address: 192.0.2.1
    peer-address: 198.51.100.2
    authentication: {pre-shared-key: {env: PSK}}
    ikev2: {ike-crypto-profile: strong}
ipsec-tunnels:
  branch:
    tunnel-interface: tunnel.1
    ike-gateway: branch
    ipsec-crypto-profile: strong
    proxy-ids:
      lan: {local: 10.1.0.0/16, remote: 10.2.0.0/16}
"""


def changed(*replacements: tuple[str, str]) -> str:
    """The sound configuration with these replaced, each once."""
    text = SOUND
    for old, new in replacements:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    return text


def unmarked(text: str) -> tuple[str, tuple[int, int]]:
    """The text without its mark, and where that was: line and column."""
    before, mark, after = text.partition(MARK)
    assert mark, "no mark"
    assert MARK not in after, "two marks"
    return before + after, (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def read(text: str | bytes) -> Document:
    """The text as a file of its own."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "isthmus.yaml"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return load(file, ENVIRONMENT)


def problems_of(text: str | bytes) -> list[Problem]:
    """All problems but the one that every configuration with zones has."""
    return [problem for problem in read(text).problems if problem.code.name != "ZONES-NOT-ENFORCED"]


def codes_of(text: str | bytes) -> list[str]:
    return [problem.code.name for problem in problems_of(text)]
