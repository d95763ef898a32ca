"""AH, transport mode, ESP without encryption or authentication, and keys by hand: two gateways of ours and traffic."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_interface, ip_network
from pathlib import Path

import pytest

from isthmus.cli.client import Client
from isthmus.lab.gateways import RunningGateway
from isthmus.lab.namespaces import Namespace, Playground
from tests.interop.echo import answered

pytestmark = pytest.mark.interop

ENDS = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
SIZES = (56, 1400)
"""Of echo requests: a small one, and one that fills the tunnel's MTU."""


@dataclass(frozen=True)
class Tunnel:
    """One tunnel between the two sites, numbered for its interface and its networks."""

    number: int
    outer: int
    inner: int = 4
    profile: str = ""
    manual: str = ""
    mode: str = "tunnel"

    @property
    def name(self) -> str:
        return f"t{self.number}"

    def lan(self, side: int) -> str:
        if self.mode == "transport":
            return f"{ENDS[self.outer][side]}/{32 if self.outer == 4 else 128}"
        return f"10.{side + 1}.{self.number}.0/24" if self.inner == 4 else f"fd0{side + 1}:{self.number}::/64"

    def host(self, side: int) -> str:
        return ENDS[self.outer][side] if self.mode == "transport" else str(ip_network(self.lan(side))[1])

    def text(self, side: int) -> str:
        more = f"    mode: {self.mode}\n"
        if self.manual:
            mine, theirs = ENDS[self.outer][side], ENDS[self.outer][1 - side]
            spis = f"0x{0x2000 + self.number:x}", f"0x{0x3000 + self.number:x}"
            more += (
                f"    manual-key: {{interface: eth0, local-address: '{mine}', peer-address: '{theirs}', "
                f"local-spi: {spis[side]}, remote-spi: {spis[1 - side]}, {self.manual}}}\n"
            )
        else:
            more += f"    ike-gateway: over{self.outer}\n    ipsec-crypto-profile: {self.profile}\n"
            if self.mode == "tunnel":
                more += f"    proxy-ids: {{lan: {{local: '{self.lan(side)}', remote: '{self.lan(1 - side)}'}}}}\n"
        return f"  {self.name}:\n    tunnel-interface: tunnel.{self.number}\n{more}"


PROFILES = {
    "ah-md5": "{ah: {authentication: [md5]}, dh-group: no-pfs}",
    "ah-sha1": "{ah: {authentication: [sha1]}, dh-group: group14}",
    "ah-sha256": "{ah: {authentication: [sha256]}, dh-group: no-pfs}",
    "ah-sha384": "{ah: {authentication: [sha384]}, dh-group: no-pfs}",
    "ah-sha512": "{ah: {authentication: [sha512]}, dh-group: no-pfs}",
    "esp": "{esp: {encryption: [aes-256-gcm]}, dh-group: no-pfs}",
    "esp-cbc": "{esp: {encryption: [aes-128-cbc], authentication: [sha256]}, dh-group: no-pfs}",
    "esp-null": "{esp: {encryption: ['null'], authentication: [sha256]}, dh-group: no-pfs}",
    "esp-bare": "{esp: {encryption: [aes-128-cbc], authentication: [none]}, dh-group: no-pfs}",
}


def key(size: int) -> str:
    """As the reference product writes keys: in groups."""
    return hashlib.shake_256(str(size).encode()).digest(size).hex("-", -4)


def manual_esp(cipher: str, size: int, integrity: str, integrity_size: int) -> str:
    return (
        f"esp: {{encryption: {{algorithm: {cipher}, key: {key(size)}}}, "
        f"authentication: {{algorithm: {integrity}, key: {key(integrity_size)}}}}}"
    )


def manual_ah(integrity: str, size: int) -> str:
    return f"ah: {{authentication: {{algorithm: {integrity}, key: {key(size)}}}}}"


BY_IKE = tuple(
    Tunnel(number, outer, inner, profile)
    for number, (outer, inner, profile) in enumerate(
        (
            (4, 4, "ah-sha256"),
            (4, 6, "ah-sha384"),
            (6, 4, "ah-sha512"),
            (6, 6, "ah-sha256"),
            (4, 4, "ah-md5"),
            (6, 4, "ah-sha1"),
            (4, 4, "esp-null"),
            (6, 6, "esp-bare"),
        ),
        1,
    )
)
BY_HAND = tuple(
    Tunnel(number, outer, inner, manual=manual)
    for number, (outer, inner, manual) in enumerate(
        (
            (4, 4, manual_esp("aes-128-cbc", 16, "sha1", 20)),
            (6, 6, manual_esp("aes-256-cbc", 32, "sha512", 64)),
            (4, 6, manual_esp("3des", 24, "md5", 16)),
            (4, 4, manual_ah("sha256", 32)),
            (6, 4, manual_ah("sha384", 48)),
            (6, 6, manual_ah("sha512", 64)),
        ),
        1,
    )
)
HOST_TO_HOST = {
    "ah-esp": (Tunnel(1, 4, profile="ah-sha256", mode="transport"), Tunnel(2, 6, profile="esp", mode="transport")),
    "esp-ah": (Tunnel(1, 4, profile="esp-cbc", mode="transport"), Tunnel(2, 6, profile="ah-sha1", mode="transport")),
    "by-hand": (
        Tunnel(1, 4, manual=manual_esp("aes-128-cbc", 16, "sha1", 20), mode="transport"),
        Tunnel(2, 6, manual=manual_ah("sha256", 32), mode="transport"),
    ),
}


def configuration(side: int, tunnels: tuple[Tunnel, ...], version: str) -> str:
    interfaces = "".join(f"  tunnel.{t.number}: {{zone: vpn, virtual-router: default}}\n" for t in tunnels)
    routes = "".join(
        f"      {t.name}: {{destination: '{t.lan(1 - side)}', interface: tunnel.{t.number}}}\n" for t in tunnels
    )
    gateways = "".join(
        f"  over{outer}:\n"
        f"    version: {version}\n"
        f"    interface: eth0\n"
        f"    local-address: '{ENDS[outer][side]}'\n"
        f"    peer-address: '{ENDS[outer][1 - side]}'\n"
        f"    authentication: {{pre-shared-key: {{file: peer.psk}}}}\n"
        f"    passive: {str(side == 1).lower()}\n"
        f"    ikev1: {{ike-crypto-profile: ike}}\n"
        f"    ikev2: {{ike-crypto-profile: ike}}\n"
        for outer in ENDS
    )
    profiles = "".join(f"  {name}: {text}\n" for name, text in PROFILES.items())
    return (
        "interfaces:\n  eth0: {zone: untrust, virtual-router: default}\n"
        + interfaces
        + "zones: {untrust: {}, vpn: {}}\n"
        f"virtual-routers:\n  default:\n    static-routes:\n{routes}"
        "ike-crypto-profiles:\n  ike: {encryption: [aes-128-cbc], hash: [sha256], dh-group: [group19]}\n"
        f"ipsec-crypto-profiles:\n{profiles}ike-gateways:\n{gateways}"
        "ipsec-tunnels:\n" + "".join(t.text(side) for t in tunnels)
    )


@dataclass
class Sites:
    """Two hosts on one wire, each with a gateway of ours."""

    hosts: tuple[Namespace, Namespace]
    gateways: tuple[RunningGateway, RunningGateway]


@contextmanager
def running(playground: Playground, home: Path, tunnels: tuple[Tunnel, ...], version: str = "ikev2") -> Iterator[Sites]:
    left, right = playground.namespace("left"), playground.namespace("right")
    left.cable("eth0", right, "eth0")
    for side, host in enumerate((left, right)):
        for address, prefix in ((ENDS[4][side], 24), (ENDS[6][side], 64)):
            host.address("eth0", ip_interface(f"{address}/{prefix}"))
        for tunnel in tunnels:
            if tunnel.mode == "tunnel":
                host.address("lo", ip_interface(tunnel.host(side)))
        (home / str(side)).mkdir()
        (home / str(side) / "peer.psk").write_text("a key of thirty-two octets, or so")
        (home / str(side) / "peer.psk").chmod(0o600)
        (home / str(side) / "isthmus.yaml").write_text(configuration(side, tunnels, version))
    right_home, left_home = home / "1", home / "0"
    with RunningGateway("right", right, right_home / "isthmus.yaml", right_home) as there:
        there.await_answers()
        with RunningGateway("left", left, left_home / "isthmus.yaml", left_home) as here:
            here.await_tunnels()
            there.await_tunnels()
            yield Sites((left, right), (here, there))


def pings_pass(sites: Sites, tunnels: tuple[Tunnel, ...]) -> dict[str, tuple[int, ...]]:
    return {
        tunnel.name: tuple(
            answered(sites.hosts[side], tunnel.host(side), tunnel.host(1 - side), 2, size)
            for side in (0, 1)
            for size in SIZES
        )
        for tunnel in tunnels
    }


def rows(gateway: RunningGateway) -> dict[str, dict[str, object]]:
    return {str(row["tunnel"]): row for row in Client(gateway.socket).rows("/v1/ipsec-sa")}


@pytest.mark.parametrize("version", ["ikev1", "ikev2"])
def test_ah_and_bare_esp_carry_traffic(playground: Playground, tmp_path: Path, version: str) -> None:
    with running(playground, tmp_path, BY_IKE, version) as sites:
        assert pings_pass(sites, BY_IKE) == {tunnel.name: (2, 2, 2, 2) for tunnel in BY_IKE}
        for gateway in sites.gateways:
            shown = rows(gateway)
            for tunnel in BY_IKE:
                row = shown[tunnel.name]
                protocol = tunnel.profile.partition("-")[0]
                # UDP, which two gateways of ours prefer, is not for AH.
                assert (row["protocol"], row["mode"]) == (protocol, "tunnel")
                assert row["encapsulation"] == "none" or protocol == "esp"
                assert int(str(row["packets_in"])) >= 8
        events = Client(sites.gateways[0].socket).rows("/v1/events", code="ike.weak-algorithm", limit=100)
        assert {"none", "null", "md5", "sha1"} <= {event["fields"]["algorithm"] for event in events}


def test_keys_by_hand_carry_traffic_and_are_shown_as_others_are(playground: Playground, tmp_path: Path) -> None:
    with running(playground, tmp_path, BY_HAND) as sites:
        assert pings_pass(sites, BY_HAND) == {tunnel.name: (2, 2, 2, 2) for tunnel in BY_HAND}
        shown = rows(sites.gateways[0])
        esp, ah = shown["t1"], shown["t6"]
        assert (esp["protocol"], esp["encryption"], esp["integrity"], esp["gateway"]) == (
            "esp",
            "aes-128-cbc",
            "sha1",
            None,
        )
        assert (esp["spi_out"], esp["spi_in"], esp["rekey_in"], esp["expires_in"]) == (
            "0x00002001",
            "0x00003001",
            None,
            None,
        )
        assert (ah["protocol"], ah["encryption"], ah["integrity"]) == ("ah", None, "sha512")
        refused = sites.gateways[0].ask("rekey", "ipsec-sa", "t1")
        assert refused.status != 0
        assert "keys by hand" in refused.complaint
        client = Client(sites.gateways[0].socket)
        client.order("disable", "t1")
        assert "t1" not in rows(sites.gateways[0])
        assert answered(sites.hosts[0], "10.1.1.1", "10.2.1.1", 1) == 0
        client.order("enable", "t1")
        assert answered(sites.hosts[0], "10.1.1.1", "10.2.1.1", 2) == 2


@pytest.mark.parametrize("kind", HOST_TO_HOST)
def test_transport_mode_carries_what_the_gateways_say_themselves(
    playground: Playground, tmp_path: Path, kind: str
) -> None:
    tunnels = HOST_TO_HOST[kind]
    version = "ikev1" if kind == "esp-ah" else "ikev2"
    with running(playground, tmp_path, tunnels, version) as sites:
        assert pings_pass(sites, tunnels) == {tunnel.name: (2, 2, 2, 2) for tunnel in tunnels}
        for outer in ENDS:
            assert transferred(sites, outer) == _AMOUNT
        shown = rows(sites.gateways[0])
        for tunnel in tunnels:
            row = shown[tunnel.name]
            assert (row["mode"], row["encapsulation"]) == ("transport", "none")
            assert int(str(row["bytes_out"])) > _AMOUNT
        if kind != "by-hand":
            # IKE itself finds its way past the tunnel interface: it works while the tunnel stands, too.
            client = Client(sites.gateways[0].socket)
            for what in (("ipsec-sa", "t1"), ("ike-sa", "over4")):
                assert [outcome["result"] for outcome in client.order("rekey", *what, wait=20.0)] == ["up"]


def test_hosts_in_transport_mode_never_speak_in_the_clear(playground: Playground, tmp_path: Path) -> None:
    tunnels = HOST_TO_HOST["ah-esp"]
    with running(playground, tmp_path, tunnels) as sites:
        assert pings_pass(sites, tunnels) == {tunnel.name: (2, 2, 2, 2) for tunnel in tunnels}
        left, right = sites.hosts
        sites.gateways[0].kill()
        for outer in ENDS:
            assert answered(left, *ENDS[outer], 2) == 0
        assert refused(left, "leaving") >= 4
        assert refused(right, "arriving") == 0
        left.run("nft", "delete", "table", "inet", "isthmus-guard")
        for outer in ENDS:
            assert answered(left, *ENDS[outer], 2) == 0
        assert refused(right, "arriving") >= 4
        assert sites.gateways[1].stop() == 0
        assert answered(left, *ENDS[4], 2) == 2  # nobody asks for protection any more


def refused(host: Namespace, chain: str) -> int:
    rules = host.run("nft", "list", "chain", "inet", "isthmus-guard", chain).stdout
    return sum(map(int, re.findall(r"counter packets (\d+) .*drop", rules)))


_AMOUNT = 4_000_000


def transferred(sites: Sites, outer: int) -> int:
    """Octets of one TCP connection that arrived: long segments are cut on their way, and joined."""
    family = socket.AF_INET if outer == 4 else socket.AF_INET6
    left, right = sites.hosts
    with right.inside():
        listening = socket.socket(family, socket.SOCK_STREAM)
    with left.inside():
        calling = socket.socket(family, socket.SOCK_STREAM)
    arrived = 0
    with listening, calling:
        listening.bind((ENDS[outer][1], 5001))
        listening.listen()
        calling.settimeout(20)
        listening.settimeout(20)
        calling.connect((ENDS[outer][1], 5001))
        sender = threading.Thread(target=lambda: (calling.sendall(b"." * _AMOUNT), calling.shutdown(socket.SHUT_WR)))
        sender.start()
        accepted, _ = listening.accept()
        with accepted:
            accepted.settimeout(20)
            while octets := accepted.recv(1 << 16):
                arrived += len(octets)
        sender.join()
    return arrived
