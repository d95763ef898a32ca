"""Many tunnels between one gateway of ours and one charon, each with a peer address, a LAN and a suite of its own.

left_host --- left --- middle --- right --- right_host
10.101.N.2  192.0.2.1          198.18.0.N  10.100.N.2
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from tests.interop.bench import LEFT, Bench
from tests.interop.ours import KEY
from tests.interop.strongswan import Child, Connection

_PEERS = IPv4Network("198.18.0.0/24")
_LANS = IPv4Network("10.100.0.0/16")

CIPHERS = {
    "des": "des",
    "3des": "3des",
    "aes-128-cbc": "aes128",
    "aes-192-cbc": "aes192",
    "aes-256-cbc": "aes256",
}
HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")
GROUPS = {
    "group1": "modp768",
    "group2": "modp1024",
    "group5": "modp1536",
    "group14": "modp2048",
    "group19": "ecp256",
    "group20": "ecp384",
}
AEADS = {"aes-128-ccm": "aes128ccm16", "aes-128-gcm": "aes128gcm16", "aes-256-gcm": "aes256gcm16"}
ESP = (
    *((cipher, digest) for cipher in (*CIPHERS, "null") for digest in HASHES),
    *((cipher, "none") for cipher in AEADS),
)
"""Encryption and authentication: each that the product has, with each."""


@dataclass(frozen=True)
class Row:
    """One tunnel: what both ends are configured with."""

    number: int
    ike: tuple[str, str, str]
    """encryption, hash, dh-group"""
    esp: tuple[str, str]
    """encryption, authentication"""
    pfs: str | None
    aggressive: bool

    @property
    def name(self) -> str:
        return f"t{self.number}"

    @property
    def address(self) -> IPv4Address:
        return _PEERS[self.number]

    @property
    def lan(self) -> IPv4Network:
        """Behind the peer."""
        return IPv4Network(f"10.100.{self.number}.0/24")

    @property
    def our_lan(self) -> IPv4Network:
        return IPv4Network(f"10.101.{self.number}.0/24")

    @property
    def identity(self) -> str:
        return f"{self.name}.example"


def rows(*, aggressive_first: bool) -> tuple[Row, ...]:
    """Every phase 1 suite once, and beside them every ESP suite and every choice of a group of its own."""
    pfs = (None, *GROUPS)
    # No factor in common: a suite for ESP meets one choice after the other.
    assert math.gcd(len(ESP), len(pfs)) == 1
    return tuple(
        Row(n, ike, ESP[n % len(ESP)], pfs[n % len(pfs)], aggressive=bool(n % 2) == aggressive_first)
        for n, ike in enumerate(itertools.product(CIPHERS, HASHES, GROUPS), 1)
    )


def prepare(bench: Bench, table: Sequence[Row]) -> None:
    """The addresses of all the peers at the right, and their LANs."""
    bench.middle.route(_PEERS, "right")
    for row in table:
        bench.right.address("eth0", IPv4Interface(f"{row.address}/32"))
        for gateway, host, lan in (
            (bench.left, bench.left_host, row.our_lan),
            (bench.right, bench.right_host, row.lan),
        ):
            gateway.address("eth1", IPv4Interface(f"{lan[1]}/{lan.prefixlen}"))
            host.address("eth0", IPv4Interface(f"{lan[2]}/{lan.prefixlen}"))


def ours(table: Sequence[Row], home: Path, *, passive: bool) -> Path:
    """Our configuration: a gateway and a tunnel for each row, all by one tunnel interface."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "peer.psk").write_text(KEY + "\n")
    (home / "peer.psk").chmod(0o600)
    path = home / "isthmus.yaml"
    path.write_text("".join(_sections(table, passive=passive)))
    return path


def theirs(table: Sequence[Row]) -> tuple[Connection, ...]:
    return tuple(_connection(row) for row in table)


def pinged(bench: Bench, table: Sequence[Row], count: int = 2) -> dict[str, int]:
    """How many echo requests of `count` each LAN answered, all asked at once."""
    one = f"ping -n -q -c {count} -i 0.3 -W 5 -I"
    asked = " & ".join(f"(echo {row.name} $({one} {row.our_lan[2]} {row.lan[2]} | grep received))" for row in table)
    told = bench.left_host.run("sh", "-c", f"{asked} & wait").stdout
    lines = (line.split() for line in told.splitlines())
    return {words[0]: int(words[4]) for words in lines if len(words) > 4}


def _sections(table: Sequence[Row], *, passive: bool) -> Iterator[str]:
    yield (
        "interfaces:\n"
        "  eth0: {zone: untrust, virtual-router: default}\n"
        "  eth1: {zone: trust, virtual-router: default}\n"
        "  tunnel.1: {zone: vpn, virtual-router: default}\n"
        "zones: {untrust: {}, trust: {}, vpn: {}}\n"
        "virtual-routers:\n  default:\n    static-routes:\n"
        f"      there: {{destination: {_LANS}, interface: tunnel.1}}\n"
        "ike-crypto-profiles:\n"
    )
    for row in table:
        encryption, digest, group = row.ike
        yield f"  {row.name}: {{encryption: [{encryption}], hash: [{digest}], dh-group: [{group}]}}\n"
    yield "ipsec-crypto-profiles:\n"
    for row in table:
        esp = f'{{encryption: ["{row.esp[0]}"], authentication: [{row.esp[1]}]}}'
        yield f"  {row.name}: {{esp: {esp}, dh-group: {row.pfs or 'no-pfs'}}}\n"
    yield "ike-gateways:\n"
    for row in table:
        mode = "aggressive" if row.aggressive else "main"
        yield (
            f"  {row.name}:\n"
            "    version: ikev1\n    interface: eth0\n"
            f"    local-address: {LEFT}\n    peer-address: {row.address}\n"
            "    authentication: {pre-shared-key: {file: peer.psk}}\n"
            f"    local-id: {{fqdn: left.example}}\n    peer-id: {{fqdn: {row.identity}}}\n"
            f"    passive: {str(passive).lower()}\n"
            f"    ikev1: {{ike-crypto-profile: {row.name}, exchange-mode: {mode}}}\n"
        )
    yield "ipsec-tunnels:\n"
    for row in table:
        yield (
            f"  {row.name}:\n"
            f"    tunnel-interface: tunnel.1\n    ike-gateway: {row.name}\n    ipsec-crypto-profile: {row.name}\n"
            f"    start: {'on-demand' if passive else 'immediate'}\n"
            f"    proxy-ids:\n      lan: {{local: {row.our_lan}, remote: {row.lan}}}\n"
        )


def _connection(row: Row) -> Connection:
    encryption, digest, group = row.ike
    cipher, signed = row.esp
    esp = AEADS.get(cipher) or f"{CIPHERS.get(cipher, cipher)}-{signed}"
    return Connection(
        row.name,
        str(row.address),
        str(LEFT),
        row.identity,
        "left.example",
        KEY,
        f"{CIPHERS[encryption]}-{digest}-{GROUPS[group]}",
        (Child(row.name, str(row.lan), str(row.our_lan), esp + (f"-{GROUPS[row.pfs]}" if row.pfs else "")),),
        settings="aggressive = yes" if row.aggressive else "",
        version=1,
    )
