"""Configurations of ours for the bench, and our gateway at one side of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from isthmus.lab.gateways import RunningGateway
from isthmus.lab.namespaces import Namespace, Network
from isthmus.model.address import Address

KEY = "a key of thirty-two octets, or so"


@dataclass(frozen=True)
class Suite:
    """One suite in our spelling and in strongSwan's."""

    name: str
    ike: tuple[str, str, str]
    """encryption, hash, dh-group"""
    esp: tuple[str, str]
    """encryption, authentication"""
    their_ike: str
    their_esp: str

    @property
    def their_group(self) -> str:
        return self.their_ike.rpartition("-")[2]


SUITES = (
    Suite(
        "aes128gcm16-x25519",
        ("aes-128-gcm", "sha256", "group31"),
        ("aes-128-gcm", "none"),
        "aes128gcm16-prfsha256-x25519",
        "aes128gcm16",
    ),
    Suite(
        "aes256gcm16-ecp384",
        ("aes-256-gcm", "sha384", "group20"),
        ("aes-256-gcm", "none"),
        "aes256gcm16-prfsha384-ecp384",
        "aes256gcm16",
    ),
    Suite(
        "aes256-sha384-modp2048",
        ("aes-256-cbc", "sha384", "group14"),
        ("aes-256-cbc", "sha384"),
        "aes256-sha384-modp2048",
        "aes256-sha384",
    ),
    Suite(
        "aes128-sha1-modp1024",
        ("aes-128-cbc", "sha1", "group2"),
        ("aes-128-cbc", "sha1"),
        "aes128-sha1-modp1024",
        "aes128-sha1",
    ),
    Suite("3des-sha1-modp1024", ("3des", "sha1", "group2"), ("3des", "sha1"), "3des-sha1-modp1024", "3des-sha1"),
    Suite(
        "chacha20poly1305-x25519",
        ("chacha20-poly1305", "sha256", "group31"),
        ("chacha20-poly1305", "none"),
        "chacha20poly1305-prfsha256-x25519",
        "chacha20poly1305",
    ),
)
MODERN = SUITES[0]


@dataclass(frozen=True)
class Site:
    """What one side of the bench is configured with."""

    local: Address
    peer: Address | Literal["dynamic"]
    local_id: str
    peer_id: str
    lans: Sequence[Network]
    peer_lans: Sequence[Network]
    suite: Suite = MODERN
    pfs: bool = True
    passive: bool = False
    start: str = "immediate"
    encapsulation: str = "auto"
    key: str = KEY
    esp_group: str = ""
    """The group of the Child SAs, where it is not that of the IKE SA."""
    version: str = "ikev2"
    gateway: str = ""
    """Further lines of the gateway's section."""
    multiple: int = 0
    """The authentication multiple of the IKE SA."""
    proxies: tuple[str, ...] = ()
    """Proxy IDs as they are written, where they are not simply the LANs."""
    more: str = field(default="")
    """Further top-level sections."""

    def text(self) -> str:
        encryption, digest, group = self.suite.ike
        esp_encryption, esp_authentication = self.suite.esp
        routes = "".join(
            f"      {name}: {{destination: {lan}, interface: tunnel.1}}\n"
            for name, lan in zip(_NAMES, self.peer_lans, strict=False)
        )
        lans = (f"local: {mine}, remote: {theirs}" for mine, theirs in zip(self.lans, self.peer_lans, strict=False))
        proxies = "".join(
            f"      {name}: {{{proxy}}}\n" for name, proxy in zip(_NAMES, self.proxies or lans, strict=False)
        )
        return f"""
interfaces:
  eth0: {{zone: untrust, virtual-router: default}}
  eth1: {{zone: trust, virtual-router: default}}
  tunnel.1: {{zone: vpn, virtual-router: default}}
zones: {{untrust: {{}}, trust: {{}}, vpn: {{}}}}
virtual-routers:
  default:
    static-routes:
{routes}
ike-crypto-profiles:
  suite:
    encryption: [{encryption}]
    hash: [{digest}]
    dh-group: [{group}]
    lifetime: 8h
    authentication-multiple: {self.multiple}
ipsec-crypto-profiles:
  suite:
    esp: {{encryption: [{esp_encryption}], authentication: [{esp_authentication}]}}
    dh-group: {(self.esp_group or group) if self.pfs else "no-pfs"}
    lifetime: 1h
ike-gateways:
  there:
    version: {self.version}
    interface: eth0
    local-address: {self.local}
    peer-address: {self.peer}
    authentication: {{pre-shared-key: {{file: peer.psk}}}}
    local-id: {{fqdn: {self.local_id}}}
    peer-id: {{fqdn: {self.peer_id}}}
    passive: {str(self.passive).lower()}
    encapsulation: {self.encapsulation}
    ikev2: {{ike-crypto-profile: suite, liveness: {{interval: 2s}}}}
{self.gateway}
ipsec-tunnels:
  there:
    tunnel-interface: tunnel.1
    ike-gateway: there
    ipsec-crypto-profile: suite
    start: {self.start}
    proxy-ids:
{proxies}
{self.more}
"""

    def write(self, home: Path) -> Path:
        home.mkdir(parents=True, exist_ok=True)
        secret = home / "peer.psk"
        secret.write_text(self.key + "\n")
        secret.chmod(0o600)
        path = home / "isthmus.yaml"
        path.write_text(self.text())
        return path


_NAMES = ("one", "two", "three", "four")


def ours(site: Site, where: Namespace, home: Path) -> RunningGateway:
    return RunningGateway(site.local_id, where, site.write(home), home)


def ours_telling_keys(site: Site, where: Namespace, home: Path, tables: Path) -> RunningGateway:
    """The same, with its keys written as Wireshark's tables."""
    tables.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(Path(__file__).with_name("telltale.py")), str(tables)]
    return RunningGateway(site.local_id, where, site.write(home), home, command)
