"""How each contender is set up on the stage. Each ends when its block does."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from ipaddress import ip_network
from pathlib import Path

from tests.interop.strongswan import Child, Connection, Strongswan, missing

from bench.stage import LEFT, LEFT_INNER, LEFT_LAN, MTU, RIGHT, RIGHT_INNER, RIGHT_LAN, Contender, Stage
from isthmus.lab.gateways import RunningGateway
from isthmus.lab.namespaces import Namespace

SETUPS: dict[str, Callable[[Stage, Path], AbstractContextManager[Contender]]] = {}


def absent(name: str) -> str | None:
    """Why a contender cannot play here; None: it can."""
    if name == "strongswan":
        return missing()
    if name == "wireguard-go":
        if shutil.which(_wireguard_go()) is None:
            return f"{_wireguard_go()} is not installed (or name it by WIREGUARD_GO)"
        return None if shutil.which("wg") else "wg is not installed (Debian: wireguard-tools)"
    return None


@contextmanager
def veth(stage: Stage, home: Path) -> Iterator[Contender]:
    """The bare wire: nobody encrypts."""
    del stage, home
    yield Contender("bare veth", (), str(LEFT), str(RIGHT))


@contextmanager
def isthmus(stage: Stage, home: Path) -> Iterator[Contender]:
    with ExitStack() as running:
        made = []
        for name, where, local, peer, lan, far, passive in _sides(stage):
            folder = home / name
            folder.mkdir()
            secret = folder / "peer.psk"
            secret.write_text("a key of thirty-two octets, or so\n")
            secret.chmod(0o600)
            path = folder / "isthmus.yaml"
            path.write_text(_CONFIGURATION.format(local=local, peer=peer, lan=lan, far=far, passive=passive, mtu=MTU))
            gateway = running.enter_context(RunningGateway(name, where, path, folder))
            gateway.await_answers()
            made.append(gateway)
        for gateway in made:
            gateway.await_tunnels()
        yield Contender("isthmus", tuple(gateway.pid for gateway in made), str(LEFT_INNER), str(RIGHT_INNER))


def _sides(stage: Stage) -> list[tuple[str, Namespace, object, object, object, object, str]]:
    return [
        ("right", stage.right, RIGHT, LEFT, RIGHT_LAN, LEFT_LAN, "true"),
        ("left", stage.left, LEFT, RIGHT, LEFT_LAN, RIGHT_LAN, "false"),
    ]


_CONFIGURATION = """
interfaces:
  eth0: {{zone: untrust, virtual-router: default}}
  tunnel.1: {{zone: vpn, virtual-router: default, mtu: {mtu}}}
zones: {{untrust: {{}}, vpn: {{}}}}
virtual-routers:
  default:
    static-routes:
      there: {{destination: {far}, interface: tunnel.1}}
ike-crypto-profiles:
  suite: {{encryption: [aes-128-gcm], hash: [sha256], dh-group: [group31], lifetime: 8h}}
ipsec-crypto-profiles:
  suite: {{esp: {{encryption: [aes-128-gcm], authentication: [none]}}, dh-group: no-pfs, lifetime: 8h}}
ike-gateways:
  there:
    version: ikev2
    interface: eth0
    local-address: {local}
    peer-address: {peer}
    authentication: {{pre-shared-key: {{file: peer.psk}}}}
    passive: {passive}
    ikev2: {{ike-crypto-profile: suite}}
ipsec-tunnels:
  there:
    tunnel-interface: tunnel.1
    ike-gateway: there
    ipsec-crypto-profile: suite
    proxy-ids:
      lan: {{local: {lan}, remote: {far}}}
"""


_STRONGSWAN_PLUGINS = "random nonce openssl hmac kdf kernel-libipsec kernel-netlink socket-default vici"
"""With OpenSSL alone: of several that offer a cipher the first one named serves it, and its own are slow."""


@contextmanager
def strongswan(stage: Stage, home: Path) -> Iterator[Contender]:
    """charon with kernel-libipsec: its own ESP in user space."""
    with ExitStack() as running:
        sides = []
        for name, where, local, peer, lan, far, _passive in _sides(stage):
            side = Strongswan(where, home / name, plugins=_STRONGSWAN_PLUGINS)
            running.callback(side.stop)
            child = Child("lan", str(lan), str(far), "aes128gcm16")
            side.load(
                Connection(
                    "site",
                    str(local),
                    str(peer),
                    str(local),
                    str(peer),
                    "a key",
                    "aes128gcm16-prfsha256-x25519",
                    (child,),
                )
            )
            sides.append(side)
        sides[1].initiate("lan")
        # Its device keeps the 1,400 octets that it was made with: it would cut longer packets off.
        yield Contender("strongSwan libipsec", tuple(side.pid for side in sides), str(LEFT_INNER), str(RIGHT_INNER))


@contextmanager
def wireguard_go(stage: Stage, home: Path) -> Iterator[Contender]:
    with ExitStack() as running:
        keys = {name: _key_pair(stage, home / name) for name in ("left", "right")}
        processes = []
        for name, where, _local, peer, _lan, far, _passive in _sides(stage):
            interface = f"wg{name}"
            process = where.start(
                [_wireguard_go(), "--foreground", interface], environment={"WG_PROCESS_FOREGROUND": "1"}
            )
            running.callback(process.wait)
            running.callback(process.send_signal, signal.SIGTERM)
            processes.append(process.pid)
            _until(Path(f"/var/run/wireguard/{interface}.sock").exists)
            other = "left" if name == "right" else "right"
            where.run("wg", "set", interface, "listen-port", "51820", "private-key", str(home / name))
            where.run("wg", "set", interface, "peer", keys[other], "endpoint", f"{peer}:51820", "allowed-ips", str(far))
            where.run("ip", "link", "set", interface, "mtu", str(MTU))
            where.up(interface)
            where.route(ip_network(str(far)), interface)
        yield Contender("wireguard-go", tuple(processes), str(LEFT_INNER), str(RIGHT_INNER))


def _key_pair(stage: Stage, path: Path) -> str:
    """Writes the private key; returns the public one."""
    path.write_text(stage.left.run("wg", "genkey").stdout)
    path.chmod(0o600)
    return stage.left.run("sh", "-c", f"wg pubkey < {path}").stdout.strip()


def _wireguard_go() -> str:
    return os.environ.get("WIREGUARD_GO", "wireguard-go")


def _until(true: Callable[[], bool], limit: float = 10) -> None:
    end = time.monotonic() + limit
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it never became true")
        time.sleep(0.02)


SETUPS |= {"isthmus": isthmus, "wireguard-go": wireguard_go, "strongswan": strongswan, "veth": veth}
