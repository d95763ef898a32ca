"""What the set-up of an IKE SA with its first child costs the responder: `python -m bench.setups [--count 1000]`.

A crowd of initiators, one engine of ours in a process of its own, sets up an SA each over real sockets; what is counted
is the processor time of the responder's process alone, all its threads, and how much its memory grew. By turns ours and
strongSwan with its ESP in user space, which makes a route for each. `--output FOLDER` writes JSON beside the table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.interop.strongswan import Child, Connection, Strongswan, missing

from bench.process import kernel, resident, spent
from bench.rows import BEHIND, CROWD, KEY, RESPONDER, ROWS, THEIRS, Row, address_of, host_of, name_of
from bench.stage import LEFT, Stage
from isthmus.lab.gateways import RunningGateway
from isthmus.lab.namespaces import Playground

_ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 16
"""Set-ups under way at the same time."""
_PROXY_IDS = 250
"""On one tunnel interface at most."""
_PLUGINS = "random nonce openssl hmac kdf kernel-libipsec kernel-netlink socket-default vici"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one set-up."""

    cpu: float
    """Milliseconds of the responder."""
    memory: float
    """Kilobytes that its process grew by."""
    rate: float
    """Set-ups a second, with the crowd on the same machine."""


def measure(row: Row, name: str, count: int) -> Cost:
    """One contender, one row."""
    with Playground("setups") as playground, tempfile.TemporaryDirectory() as home:
        stage = Stage.on(playground)
        stage.left.run("ip", "route", "add", "local", str(CROWD), "dev", "lo")
        stage.right.route(CROWD, "eth0", via=LEFT)
        with CONTENDERS[name](stage, Path(home), row, count) as process:
            was, held = spent(process), resident(process)
            argv = [sys.executable, "-m", "bench.crowd", row.name, str(count), str(AT_ONCE)]
            with stage.left.inside():
                crowd = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
            try:
                took = float(_line(crowd))
                used, grown = spent(process) - was, resident(process) - held
            finally:
                crowd.kill()
                crowd.communicate()
    return Cost(used / count * 1000, grown / count, count / took)


def _line(crowd: subprocess.Popen[str]) -> str:
    if crowd.stdout is None or not (line := crowd.stdout.readline()):
        raise RuntimeError(f"the crowd ended with {crowd.wait()}")
    return line


@contextmanager
def _ours(stage: Stage, home: Path, row: Row, count: int) -> Iterator[int]:
    (home / "psk").write_text(KEY + "\n")
    (home / "psk").chmod(0o600)
    path = home / "isthmus.yaml"
    path.write_text(configuration(row, count))
    with RunningGateway("right", stage.right, path, home) as gateway:
        gateway.await_answers()
        yield gateway.pid
        gateway.kill()


@contextmanager
def _strongswan(stage: Stage, home: Path, row: Row, count: int) -> Iterator[int]:
    """One connection for whoever comes: it need not look for its peer among a thousand."""
    if row.theirs is None:
        raise ValueError(f"strongSwan has no {row.name}")
    charon = Strongswan(stage.right, home / "charon", plugins=_PLUGINS, detail=1)
    try:
        child = Child("lan", str(BEHIND), str(THEIRS), "aes128gcm16")
        charon.load(
            Connection(
                "crowd",
                str(RESPONDER),
                "%any",
                str(RESPONDER),
                "%any",
                KEY,
                row.theirs,
                (child,),
                settings="unique = never",
                version=row.version,
            )
        )
        yield charon.pid
    finally:
        charon.kill()


CONTENDERS: dict[str, Callable[[Stage, Path, Row, int], AbstractContextManager[int]]] = {
    "isthmus": _ours,
    "strongSwan 5.9.8": _strongswan,
}


def configuration(row: Row, count: int) -> str:
    """A gateway and a tunnel for each of the crowd."""
    version = "ikev1" if row.version == 1 else "ikev2"
    of_version = "dpd: {enabled: false}" if row.version == 1 else "liveness: {enabled: false}"
    interfaces = range(1, (count - 1) // _PROXY_IDS + 2)
    tunnels = "".join(f"  tunnel.{number}: {{zone: vpn, virtual-router: default}}\n" for number in interfaces)
    gateways = "".join(
        f"  {name_of(number)}:\n"
        f"    version: {version}\n    interface: eth0\n    local-address: {RESPONDER}\n"
        f"    peer-address: {address_of(number)}\n    passive: true\n"
        f"    authentication: {{pre-shared-key: {{file: psk}}}}\n"
        f"    {version}: {{ike-crypto-profile: suite, {of_version}}}\n"
        for number in range(count)
    )
    children = "".join(
        f"  {name_of(number)}:\n"
        f"    tunnel-interface: tunnel.{number // _PROXY_IDS + 1}\n    ike-gateway: {name_of(number)}\n"
        f"    ipsec-crypto-profile: suite\n    start: on-demand\n"
        f"    proxy-ids: {{lan: {{local: {BEHIND}, remote: {host_of(number)}/32}}}}\n"
        for number in range(count)
    )
    return (
        "interfaces:\n  eth0: {zone: untrust, virtual-router: default}\n"
        f"{tunnels}zones: {{untrust: {{}}, vpn: {{}}}}\nvirtual-routers: {{default: {{}}}}\n"
        f"ike-crypto-profiles:\n  suite: {{{row.profile}, lifetime: 8h}}\n"
        "ipsec-crypto-profiles:\n"
        "  suite: {esp: {encryption: [aes-128-gcm], authentication: [none]}, dh-group: no-pfs, lifetime: 8h}\n"
        f"ike-gateways:\n{gateways}ipsec-tunnels:\n{children}"
    )


def main() -> int:
    asked = _arguments()
    if os.geteuid() != 0:
        print("the bench needs root, for network namespaces and TUN devices", file=sys.stderr)
        return 1
    if (why := missing()) is not None:
        print(f"strongSwan: left out: {why}", file=sys.stderr)
    results: dict[str, dict[str, list[Cost]]] = {}
    for number in range(asked.rounds):
        for row in asked.only or ROWS:
            for name in CONTENDERS:
                if name != "isthmus" and (why is not None or row.theirs is None):
                    continue
                print(f"{row.name}: {name}, round {number + 1} of {asked.rounds}", file=sys.stderr)
                results.setdefault(row.name, {}).setdefault(name, []).append(measure(row, name, asked.count))
    if asked.output is not None:
        _write(asked.output, asked.count, results)
    print(_table(results))
    return 0


def _arguments() -> argparse.Namespace:
    by_name = {row.name: row for row in ROWS}
    parser = argparse.ArgumentParser(prog="bench.setups", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="initiators")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many is told")
    parser.add_argument("--only", action="append", type=by_name.__getitem__, metavar="ROW", help=", ".join(by_name))
    parser.add_argument("--output", type=Path, help="folder for the JSON")
    return parser.parse_args()


def _best(costs: list[Cost]) -> Cost:
    """Whatever else runs on the machine only ever adds."""
    return Cost(
        min(cost.cpu for cost in costs),
        statistics.median(cost.memory for cost in costs),
        max(cost.rate for cost in costs),
    )


def _table(results: dict[str, dict[str, list[Cost]]]) -> str:
    lines = [f"{'':24}{'ms of CPU':>22}{'KB of memory':>22}{'set-ups a second':>22}"]
    for row, contenders in results.items():
        for name, costs in contenders.items():
            best = _best(costs)
            lines.append(f"{row:24}{name:18}{best.cpu:8.2f}{best.memory:18.1f}{best.rate:22.0f}")
    return "\n".join(lines)


def _write(folder: Path, count: int, results: dict[str, dict[str, list[Cost]]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, the crowd on them too; Linux {kernel()}",
        "count": count,
        "results": {
            row: {name: asdict(_best(costs)) for name, costs in contenders.items()}
            for row, contenders in results.items()
        },
    }
    (folder / "setups.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
