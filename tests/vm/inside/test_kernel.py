"""AH and ESP with the kernel's own at the other end: with keys by hand, and agreed on with strongSwan."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from ipaddress import ip_interface, ip_network
from pathlib import Path

import pytest

from isthmus.cli.client import Client
from isthmus.lab.gateways import RunningGateway
from isthmus.lab.namespaces import Namespace, Playground
from tests.interop.bench import answered
from tests.interop.patience import until
from tests.interop.strongswan import Child, Connection, Strongswan, missing
from tests.interop.test_protection import ENDS, Tunnel, configuration, key, manual_ah, manual_esp

_IKE = "aes128-sha256-ecp256"
_KEY = "a key of thirty-two octets, or so"


def _hex(size: int) -> str:
    return f"0x{key(size).replace('-', '')}"


_CBC_SHA1 = ("enc", "cbc(aes)", _hex(16), "auth-trunc", "hmac(sha1)", _hex(20), "96")
_SHA256 = ("auth-trunc", "hmac(sha256)", _hex(32), "128")
_SHA512 = ("auth-trunc", "hmac(sha512)", _hex(64), "256")
BY_HAND = (
    (Tunnel(1, 4, manual=manual_ah("sha256", 32)), "ah", _SHA256),
    (Tunnel(2, 6, 6, manual=manual_ah("sha256", 32)), "ah", _SHA256),
    (Tunnel(3, 4, manual=manual_esp("aes-128-cbc", 16, "sha1", 20)), "esp", _CBC_SHA1),
    (Tunnel(4, 4, manual=manual_ah("sha512", 64), mode="transport"), "ah", _SHA512),
    (Tunnel(5, 6, manual=manual_esp("aes-128-cbc", 16, "sha1", 20), mode="transport"), "esp", _CBC_SHA1),
)
_SIZE = 1300
_PATIENCE = 150.0
"""Seconds: on a busy host an emulated machine takes one to load Python."""


@pytest.fixture
def hosts() -> Iterator[tuple[Namespace, Namespace]]:
    with Playground("vm") as playground:
        left, right = playground.namespace("left"), playground.namespace("right")
        left.cable("eth0", right, "eth0")
        for side, host in enumerate((left, right)):
            host.address("eth0", ip_interface(f"{ENDS[4][side]}/24"))
            host.address("eth0", ip_interface(f"{ENDS[6][side]}/64"))
        yield left, right


def test_keys_by_hand_serve_the_kernel_too(hosts: tuple[Namespace, Namespace], tmp_path: Path) -> None:
    tunnels = tuple(tunnel for tunnel, _, _ in BY_HAND)
    for tunnel, protocol, algorithms in BY_HAND:
        _place(hosts, tunnel)
        _kernel(hosts[1], tunnel, protocol, algorithms)
    with _gateway(hosts[0], tunnels, "ikev2", tmp_path) as gateway:
        gateway.await_tunnels(_PATIENCE)
        _pings_pass(hosts, tunnels)
        rows = Client(gateway.socket).rows("/v1/ipsec-sa")
        assert [row["integrity_failed"] for row in rows] == [0] * len(tunnels)


STRONGSWAN = {
    1: (Tunnel(1, 4, profile="ah-sha256"), Tunnel(2, 4, profile="ah-sha1", mode="transport")),
    2: (
        Tunnel(1, 4, profile="ah-sha256"),
        Tunnel(2, 4, 6, profile="ah-sha512"),
        Tunnel(3, 4, profile="esp", mode="transport"),
    ),
}
_THEIRS = {
    "ah-sha1": "ah_proposals = sha1-modp2048",
    "ah-sha256": "ah_proposals = sha256",
    "ah-sha512": "ah_proposals = sha512",
    "esp": "esp_proposals = aes256gcm16",
}
_PLUGINS = (
    "random nonce aes des sha1 sha2 md5 hmac kdf gcm gmp curve25519 openssl pem pkcs1 pkcs8 x509 pubkey "
    "constraints kernel-netlink socket-default vici"
)


@pytest.mark.parametrize("version", STRONGSWAN)
def test_strongswan_with_the_kernels_ipsec_agrees(
    hosts: tuple[Namespace, Namespace], tmp_path: Path, version: int
) -> None:
    if (why := missing()) is not None:
        pytest.skip(why)
    tunnels = STRONGSWAN[version]
    for tunnel in tunnels:
        _place(hosts, tunnel)
    ours, theirs = ENDS[4]
    children = tuple(Child(t.name, t.lan(1), t.lan(0), "", f"mode = {t.mode}\n{_THEIRS[t.profile]}\n") for t in tunnels)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as home:
        peer = Strongswan(hosts[1], Path(home), plugins=_PLUGINS)
        peer.load(Connection("there", theirs, ours, theirs, ours, _KEY, _IKE, children, version=version))
        with _gateway(hosts[0], tunnels, f"ikev{version}", tmp_path) as gateway:
            gateway.await_tunnels(_PATIENCE)
            _pings_pass(hosts, tunnels)
            client = Client(gateway.socket)
            rows = {row["tunnel"]: row for row in client.rows("/v1/ipsec-sa")}
            for tunnel in tunnels:
                row = rows[tunnel.name]
                assert (row["mode"], row["encapsulation"], row["integrity_failed"]) == (tunnel.mode, "none", 0)
                assert row["protocol"] == tunnel.profile.partition("-")[0]
            client.order("rekey", "ipsec-sa", "t1", wait=20.0)
            peer.rekey(child=tunnels[-1].name)
            _pings_pass(hosts, (tunnels[0], tunnels[-1]))
        peer.stop()


def _gateway(where: Namespace, tunnels: tuple[Tunnel, ...], version: str, home: Path) -> RunningGateway:
    (home / "peer.psk").write_text(_KEY)
    (home / "peer.psk").chmod(0o600)
    (home / "isthmus.yaml").write_text(configuration(0, tunnels, version))
    return RunningGateway("left", where, home / "isthmus.yaml", home)


def _place(hosts: tuple[Namespace, Namespace], tunnel: Tunnel) -> None:
    """Addresses behind the gateways, and the other's way back."""
    if tunnel.mode == "transport":
        return
    for side, host in enumerate(hosts):
        host.address("lo", ip_interface(tunnel.host(side)))
    hosts[1].route(ip_network(tunnel.lan(0)), "eth0")


def _kernel(where: Namespace, tunnel: Tunnel, protocol: str, algorithms: tuple[str, ...]) -> None:
    """What the right end does with packets of a tunnel."""
    ours, theirs = ENDS[tunnel.outer]
    number = str(tunnel.number)
    # RFC 4302, 2.6: Linux pads AH in IPv4 to 8 octets, unless it is told not to.
    flags = ("flag", "align4") if protocol == "ah" and tunnel.outer == 4 else ()
    for source, destination, spi in ((ours, theirs, 0x2000), (theirs, ours, 0x3000)):
        _ip(
            where,
            *("xfrm", "state", "add", "src", source, "dst", destination, "proto", protocol),
            *("spi", hex(spi + tunnel.number), "reqid", number, "mode", tunnel.mode, *flags, *algorithms),
        )
    # Transport mode between hosts is for all that they say, but neighbours are found before there is an SA.
    kinds: tuple[tuple[str, ...], ...] = ((),)
    if tunnel.mode == "transport" and tunnel.outer == 6:
        kinds = tuple(("proto", "ipv6-icmp", "type", str(ping)) for ping in (128, 129))
    for direction, here, there, ends in (("in", 0, 1, (ours, theirs)), ("out", 1, 0, (theirs, ours))):
        for kind in kinds:
            _ip(
                where,
                *("xfrm", "policy", "add", "src", tunnel.lan(here), "dst", tunnel.lan(there), *kind),
                *("dir", direction, "tmpl", "src", ends[0], "dst", ends[1], "proto", protocol),
                *("reqid", number, "mode", tunnel.mode),
            )


def _ip(where: Namespace, *words: str) -> None:
    done = where.run("ip", *words)
    assert done.returncode == 0, (words, done.stderr)


def _pings_pass(hosts: tuple[Namespace, Namespace], tunnels: tuple[Tunnel, ...]) -> None:
    """Requests are sealed here and answers there, so that asking from one end shows both."""
    for tunnel in tunnels:
        ends = tunnel.host(0), tunnel.host(1)
        until(lambda e=ends: answered(hosts[0], *e, 2, _SIZE) == 2, what=lambda t=tunnel: str(t))  # type: ignore[misc]
