"""The stage on which every contender plays: two hosts joined by one wire, and what is measured between them."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

from bench.process import spent
from isthmus.lab.namespaces import Namespace, Playground

LEFT, RIGHT = ip_address("192.0.2.1"), ip_address("192.0.2.2")
LEFT_INNER, RIGHT_INNER = ip_address("10.1.0.1"), ip_address("10.2.0.1")
LEFT_LAN, RIGHT_LAN = ip_network("10.1.0.0/24"), ip_network("10.2.0.0/24")
MTU = 1420
"""Of every tunnel that lets it be chosen, so that all carry packets of nearly one size."""

_TRIES = 4
_REST = 3.0
_WINDOW = 2 << 20
"""Of the sockets of UDP. The default holds some 250 small datagrams, two milliseconds of them: not even the bare wire
gets them through to a receiver that waits for its processor."""


@dataclass(frozen=True, slots=True)
class Stage:
    left: Namespace
    right: Namespace

    @classmethod
    def on(cls, playground: Playground) -> Stage:
        left, right = playground.namespace("left"), playground.namespace("right")
        left.cable("eth0", right, "eth0")
        for here, outer, inner in ((left, LEFT, LEFT_INNER), (right, RIGHT, RIGHT_INNER)):
            here.address("eth0", ip_interface(f"{outer}/24"))
            here.address("lo", ip_interface(f"{inner}/32"))
        return cls(left, right)


@dataclass(frozen=True, slots=True)
class Contender:
    """Who is measured: its processes, and the addresses that its tunnel joins."""

    name: str
    processes: tuple[int, ...]
    near: str
    far: str


@dataclass(frozen=True, slots=True)
class Figures:
    """One measurement. `cpu` is microseconds of each process for each packet delivered."""

    name: str
    rate: float
    unit: str
    loss: float | None = None
    cpu: tuple[float, ...] = ()


@contextmanager
def listening(stage: Stage, contender: Contender) -> Iterator[None]:
    server = stage.right.start(["iperf3", "--server", "--bind", contender.far])
    try:
        time.sleep(0.5)
        yield
    finally:
        server.kill()
        server.wait()


def stream(stage: Stage, contender: Contender, seconds: float, *, streams: int, reverse: bool) -> Figures:
    """TCP, from left to right or the other way."""
    options = ["--parallel", str(streams), *(["--reverse"] if reverse else [])]
    with _cpu(contender) as spent:
        end = _iperf(stage, contender, seconds, options)["end"]
    received = end["sum_received"]
    # Header and timestamps of TCP over IPv4 take 52 octets of each packet.
    packets = received["bytes"] / (MTU - 52)
    way = "back" if reverse else "forth"
    name = f"TCP, {streams} stream{'s' if streams > 1 else ''} {way}"
    return Figures(name, received["bits_per_second"] / 1e9, "Gbit/s", cpu=spent(packets))


def datagrams(stage: Stage, contender: Contender, seconds: float, *, size: int, rate: int) -> Figures:
    """UDP at so many packets a second; 0: as many as can be offered."""
    bits = str(rate * size * 8)
    with _cpu(contender) as spent:
        options = ["--udp", "--length", str(size), "--bitrate", bits, "--window", str(_window())]
        end = _iperf(stage, contender, seconds, options)["end"]
    told = end["sum"]
    delivered = told["packets"] - told["lost_packets"]
    offered = f"{rate // 1000} thousand/s offered" if rate else "flood"
    return Figures(
        f"UDP, {size} octets, {offered}",
        delivered / told["seconds"] / 1000,
        "thousand/s",
        loss=told["lost_percent"],
        cpu=spent(delivered),
    )


def _window() -> int:
    """What the system lets everybody have at most."""
    allowed = (int(Path(f"/proc/sys/net/core/{name}_max").read_text()) for name in ("rmem", "wmem"))
    return min(_WINDOW, *allowed)


PACES = {
    "100 a second": ("-i", "0.01"),
    "1,000 a second": ("-i", "0.001"),
    "each after the answer to the last": ("-A",),
}
"""How often a ping is sent. The rarer they are, the colder is everything that they pass."""


def latency(stage: Stage, contender: Contender, pace: str, count: int) -> Figures:
    words = ["ping", "-n", "-q", "-c", str(count), *PACES[pace], "-I", contender.near, contender.far]
    found = re.search(r"= [\d.]+/([\d.]+)/", stage.left.run(*words, timeout=60).stdout)
    return Figures(f"ping, {pace}, mean", float(found[1]) if found else float("nan"), "ms")


def idle(contender: Contender, seconds: float) -> Figures:
    """Of one processor, while nothing crosses."""
    before = [spent(process) for process in contender.processes]
    time.sleep(seconds)
    used = (spent(process) - was for process, was in zip(contender.processes, before, strict=True))
    return Figures("CPU while idle", max(used, default=0.0) / seconds * 100, "%")


def memory(contender: Contender) -> Figures:
    """The largest resident set of its processes so far."""
    largest = [
        int(found[1])
        for process in contender.processes
        if (found := re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text()))
    ]
    return Figures("memory", max(largest, default=0) / 1024, "MB")


def _iperf(
    stage: Stage, contender: Contender, seconds: float, options: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    words = ["iperf3", "--client", contender.far, "--bind", contender.near, "--json", "--time", str(seconds), *options]
    for _ in range(_TRIES):
        told: dict[str, dict[str, dict[str, float]]] = json.loads(stage.left.run(*words, timeout=seconds + 30).stdout)
        if "error" not in told:
            return told
        # The server may be busy with the end of the measurement before.
        time.sleep(1)
    raise RuntimeError(f"{contender.name}: {' '.join(options)}: {told['error']}")


@contextmanager
def _cpu(contender: Contender) -> Iterator[_Spent]:
    yield _Spent(contender.processes)


class _Spent:
    """CPU time of processes since it was made, shared out over packets."""

    def __init__(self, processes: tuple[int, ...]) -> None:
        self._processes = processes
        self._before = [spent(process) for process in processes]

    def __call__(self, packets: float) -> tuple[float, ...]:
        now = [spent(process) for process in self._processes]
        return tuple((n - b) / max(packets, 1) * 1e6 for n, b in zip(now, self._before, strict=True))


def answers(stage: Stage, contender: Contender, limit: float = 30) -> None:
    """Waits until a ping crosses, and then until what its processes still do to get ready does not disturb."""
    end = time.monotonic() + limit
    while stage.left.run("ping", "-c", "1", "-W", "1", "-I", contender.near, contender.far).returncode != 0:
        if time.monotonic() > end:
            raise RuntimeError(f"{contender.name}: nothing crosses")
    time.sleep(_REST)


def version(*words: str) -> str:
    """The first line of what a program says of itself."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().partition("\n")[0]
