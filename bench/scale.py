"""Many tunnels on one gateway, against a second of ours that has as many: `python -m bench.scale [--tunnels 1000]`.

Each tunnel has a peer, an IKE SA, a Child SA and an interface of its own. Told are the times from the start of the
processes, the memory of each, what they cost while nothing happens, and how long an operator waits for an answer.
`--output FOLDER` writes JSON beside the table.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import ip_interface, ip_network
from pathlib import Path

from bench.process import kernel, resident, spent
from bench.rows import CROWD, KEY, RESPONDER, address_of, host_of, name_of
from bench.stage import LEFT, Stage
from isthmus.lab.gateways import RunningGateway
from isthmus.lab.namespaces import Playground
from isthmus.model.address import Address

HUB = ip_network("10.2.0.0/16")
_PATIENCE = 600.0
_SHOWN = (("status",), ("show", "ike-sa"), ("show", "ipsec-sa"), ("show", "tunnels"), ("show", "gateways"))


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    unit: str
    hub: float
    """The gateway that is called, by all from different addresses."""
    caller: float | None = None
    """The one that calls."""


def measure(tunnels: int, idle: float = 10.0) -> list[Figure]:
    with Playground("scale") as playground, tempfile.TemporaryDirectory() as home, ExitStack() as running:
        stage = Stage.on(playground)
        stage.left.run("ip", "route", "add", "local", str(CROWD), "dev", "lo")
        stage.left.address("lo", ip_interface(f"{address_of(0)}/32"))
        stage.right.route(CROWD, "eth0", via=LEFT)
        hub, hub_ready = _started("hub", stage, Path(home), hub_configuration(tunnels), running)
        caller, caller_ready = _started("caller", stage, Path(home), caller_configuration(tunnels), running)
        caller.await_tunnels(_PATIENCE)
        return list(_figures(hub, caller, tunnels, (hub_ready, caller_ready), idle))


def _figures(
    hub: RunningGateway,
    caller: RunningGateway,
    tunnels: int,
    ready: tuple[tuple[float, float], tuple[float, float]],
    idle: float,
) -> Iterator[Figure]:
    (hub_began, hub_answered), (caller_began, caller_answered) = ready
    up = time.monotonic() - caller_began
    yield Figure("start to first answer", "s", hub_answered - hub_began, caller_answered - caller_began)
    yield Figure("start of the caller to the last tunnel up", "s", up, up)
    yield Figure("CPU until then", "s", spent(hub.pid), spent(caller.pid))
    yield Figure("memory", "MB", resident(hub.pid) / 1024, resident(caller.pid) / 1024)
    yield Figure("memory per tunnel", "KB", resident(hub.pid) / tunnels, resident(caller.pid) / tunnels)
    before = spent(hub.pid), spent(caller.pid)
    time.sleep(idle)
    used = ((spent(gateway.pid) - was) / idle * 100 for gateway, was in zip((hub, caller), before, strict=True))
    yield Figure("CPU while idle", "%", *used)
    for words in _SHOWN:
        began = time.monotonic()
        rows = hub.ask(*words, "--json")
        took = time.monotonic() - began
        if rows.status != 0:
            raise RuntimeError(f"{' '.join(words)}: {rows.complaint}")
        yield Figure(f"isthmus {' '.join(words)}", "s", took)


def _started(
    name: str, stage: Stage, home: Path, text: str, running: ExitStack
) -> tuple[RunningGateway, tuple[float, float]]:
    folder = home / name
    folder.mkdir()
    (folder / "psk").write_text(KEY + "\n")
    (folder / "psk").chmod(0o600)
    path = folder / "isthmus.yaml"
    path.write_text(text)
    began = time.monotonic()
    gateway = RunningGateway(name, stage.right if name == "hub" else stage.left, path, folder)
    running.callback(gateway.kill)
    gateway.await_answers(_PATIENCE)
    return gateway, (began, time.monotonic())


def hub_configuration(tunnels: int) -> str:
    numbers = range(tunnels)
    gateways = [(RESPONDER, address_of(n), "passive: true") for n in numbers]
    return _configuration(gateways, [(str(HUB), f"{host_of(n)}/32") for n in numbers])


def caller_configuration(tunnels: int) -> str:
    numbers = range(tunnels)
    gateways = [(address_of(n), RESPONDER, "passive: false") for n in numbers]
    return _configuration(gateways, [(f"{host_of(n)}/32", str(HUB)) for n in numbers])


def _configuration(gateways: Sequence[tuple[Address, Address, str]], selectors: Sequence[tuple[str, str]]) -> str:
    interfaces = "".join(
        f"  tunnel.{number}: {{zone: vpn, virtual-router: default}}\n" for number in range(1, len(gateways) + 1)
    )
    peers = "".join(
        f"  {name_of(number)}:\n"
        f"    interface: eth0\n    local-address: {local}\n    peer-address: {peer}\n    {role}\n"
        f"    authentication: {{pre-shared-key: {{file: psk}}}}\n"
        f"    ikev2: {{ike-crypto-profile: suite}}\n"
        for number, (local, peer, role) in enumerate(gateways)
    )
    tunnels = "".join(
        f"  {name_of(number)}:\n"
        f"    tunnel-interface: tunnel.{number + 1}\n    ike-gateway: {name_of(number)}\n"
        f"    ipsec-crypto-profile: suite\n"
        f"    proxy-ids: {{lan: {{local: {local}, remote: {remote}}}}}\n"
        for number, (local, remote) in enumerate(selectors)
    )
    return (
        f"interfaces:\n  eth0: {{zone: untrust, virtual-router: default}}\n{interfaces}"
        "zones: {untrust: {}, vpn: {}}\nvirtual-routers: {default: {}}\n"
        "ike-crypto-profiles:\n"
        "  suite: {encryption: [aes-128-gcm], hash: [sha256], dh-group: [group31], lifetime: 8h}\n"
        "ipsec-crypto-profiles:\n"
        "  suite: {esp: {encryption: [aes-128-gcm], authentication: [none]}, dh-group: no-pfs, lifetime: 8h}\n"
        f"ike-gateways:\n{peers}ipsec-tunnels:\n{tunnels}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.scale", description=__doc__)
    parser.add_argument("--tunnels", type=int, default=1000)
    parser.add_argument("--output", type=Path, help="folder for the JSON")
    asked = parser.parse_args()
    if os.geteuid() != 0:
        print("the bench needs root, for network namespaces and TUN devices", file=sys.stderr)
        return 1
    figures = measure(asked.tunnels)
    if asked.output is not None:
        asked.output.mkdir(parents=True, exist_ok=True)
        told = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{os.cpu_count()} cores for both; Linux {kernel()}",
            "tunnels": asked.tunnels,
            "figures": [asdict(figure) for figure in figures],
        }
        (asked.output / "scale.json").write_text(json.dumps(told, indent=1) + "\n")
    print(f"{f'{asked.tunnels} tunnels':44}{'hub':>12}{'caller':>12}")
    for figure in figures:
        caller = "" if figure.caller is None else f"{figure.caller:.2f}"
        print(f"{figure.what + ', ' + figure.unit:44}{figure.hub:12.2f}{caller:>12}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
