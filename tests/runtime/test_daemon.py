"""The gateway as a process: signals, order of start and stop, and what is left of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.namespace import Namespace, namespace, needs_root

ROOT = Path(__file__).parents[2]
STATE = "ip -br link; ip -br addr; ip route; ip -6 route; nft list ruleset; ss -Hlun"
CONFIG = """
interfaces:
  lo: {zone: untrust, virtual-router: default}
  tunnel.1: {zone: vpn, virtual-router: default, address: [10.255.0.1/30]}
zones: {untrust: {}, vpn: {}}
virtual-routers:
  default:
    static-routes:
      branch: {destination: 10.2.0.0/16, interface: tunnel.1}
ike-gateways:
  branch:
    interface: lo
    local-address: 127.0.0.1
    peer-address: 127.0.0.9
    authentication: {pre-shared-key: {file: branch.psk}}
ipsec-tunnels:
  branch: {tunnel-interface: tunnel.1, ike-gateway: branch}
"""

pytestmark = needs_root


class Gateway:
    """One process, and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []

    def until(self, word: str) -> Gateway:
        """Reads on until it says the word."""
        if self.process.stdout is None:
            raise RuntimeError
        while word not in self.said:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"ended without {word}: {self.said}")
            self.said.append(line.strip())
        return self

    def signal(self, number: int) -> Gateway:
        self.process.send_signal(number)
        return self

    def end(self) -> int:
        """Its exit status, once it has ended by itself."""
        output, _ = self.process.communicate(timeout=20)
        self.said += output.split()
        return self.process.returncode


class Bench:
    def __init__(self, host: Namespace, home: Path) -> None:
        self.host, self.home = host, home
        self._started: list[Gateway] = []
        self.write(CONFIG)
        psk = home / "branch.psk"
        psk.write_text("oGq5LnJH2ZzXbTn7QWJbQe7v0qkU1c0C\n")
        psk.chmod(0o600)
        self.before = host.shell(STATE)

    def write(self, text: str) -> None:
        (self.home / "isthmus.yaml").write_text(text)

    def start(self, *whims: str, environment: dict[str, str] | None = None) -> Gateway:
        command = [sys.executable, "-m", "tests.runtime.process", str(self.home / "isthmus.yaml"), *whims]
        process = self.host.run(
            lambda: subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | (environment or {}),
            )
        )
        self._started.append(Gateway(process))
        return self._started[-1]

    def state(self) -> str:
        return self.host.shell(STATE)

    def close(self) -> None:
        for gateway in self._started:
            if gateway.process.poll() is None:
                gateway.process.kill()
            gateway.process.communicate()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with namespace() as host:
        host.shell("ip link set lo up")
        inside = Bench(host, tmp_path)
        try:
            yield inside
        finally:
            inside.close()


def test_a_signal_ends_it_and_nothing_is_left(bench: Bench) -> None:
    gateway = bench.start().until("runtime.started")
    during = bench.state()
    assert "10.2.0.0/16 dev tunnel.1 proto 73" in during
    assert "10.255.0.1/30" in during
    assert "127.0.0.1:500" in during
    assert gateway.signal(signal.SIGTERM).end() == 0
    assert bench.state() == bench.before


def test_things_begin_and_end_in_their_order(bench: Bench) -> None:
    gateway = bench.start().until("service-up").until("runtime.started")
    assert gateway.signal(signal.SIGINT).end() == 0
    said = [
        word
        for word in gateway.said
        if word in ("runtime.listening", "network.mtu-chosen", "service-up", "service-down")
        or word.startswith("runtime.st")
    ]
    assert list(dict.fromkeys(said)) == [
        "runtime.listening",
        "network.mtu-chosen",
        "runtime.started",
        "service-up",
        "runtime.stopping",
        "service-down",
        "runtime.stopped",
    ]


def test_the_service_manager_is_kept_informed(bench: Bench, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        gateway = bench.start(environment={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "3000000"})
        assert manager.recv(1000) == b"READY=1"
        assert "10.2.0.0/16 dev tunnel.1" in bench.state()
        assert manager.recv(1000) == b"WATCHDOG=1"
        gateway.signal(signal.SIGHUP)
        while not (word := manager.recv(1000)).startswith(b"RELOADING=1\nMONOTONIC_USEC="):
            assert word == b"WATCHDOG=1"
        while (word := manager.recv(1000)) != b"READY=1":
            assert word == b"WATCHDOG=1"
        gateway.signal(signal.SIGTERM)
        while (word := manager.recv(1000)) != b"STOPPING=1":
            assert word == b"WATCHDOG=1"
        assert gateway.end() == 0


def test_after_a_kill_what_was_protected_is_refused_and_the_next_start_cleans_up(bench: Bench) -> None:
    bench.start().until("runtime.started").signal(signal.SIGKILL).end()
    assert "unreachable 10.2.0.0/16" in bench.state()
    assert "dev tunnel.1" not in bench.state()
    gateway = bench.start().until("runtime.started")
    assert "network.leftovers-removed" in gateway.said
    assert bench.state().count("unreachable") == 1
    gateway.signal(signal.SIGTERM).end()
    assert bench.state() == bench.before


def test_a_second_gateway_is_refused_and_disturbs_nothing(bench: Bench) -> None:
    first = bench.start().until("runtime.started")
    state = bench.state()
    second = bench.start()
    assert second.end() == 1
    assert second.said == ["already-running"]
    assert bench.state() == state
    assert first.signal(signal.SIGTERM).end() == 0


def test_an_invalid_configuration_starts_nothing(bench: Bench) -> None:
    bench.write(CONFIG.replace("ike-gateway: branch", "ike-gateway: brunch"))
    gateway = bench.start()
    assert gateway.end() == 5
    assert gateway.said == ["invalid"]
    assert bench.state() == bench.before


def test_a_reload_applies_what_changed(bench: Bench) -> None:
    gateway = bench.start().until("runtime.started")
    link = bench.host.shell("ip -br link show tunnel.1")
    bench.write(CONFIG.replace("10.2.0.0/16", "10.3.0.0/16").replace("10.255.0.1/30", "10.255.0.5/30"))
    gateway.signal(signal.SIGHUP).until("runtime.reload-applied")
    during = bench.state()
    assert "10.3.0.0/16 dev tunnel.1" in during
    assert "10.255.0.5/30" in during
    assert "10.2.0.0/16" not in during
    assert "10.255.0.1/30" not in during
    assert bench.host.shell("ip -br link show tunnel.1") == link
    gateway.signal(signal.SIGTERM).end()
    assert bench.state() == bench.before


def test_a_reload_of_an_invalid_or_an_equal_configuration_changes_nothing(bench: Bench) -> None:
    gateway = bench.start().until("runtime.started")
    before = bench.state()
    bench.write(CONFIG + "nonsense: {}\n")
    gateway.signal(signal.SIGHUP).until("runtime.reload-refused")
    assert bench.state() == before
    bench.write(CONFIG)
    gateway.signal(signal.SIGHUP).until("runtime.reload-applied")
    assert bench.state() == before


def test_a_reload_can_take_everything_away_and_bring_it_back(bench: Bench) -> None:
    gateway = bench.start().until("runtime.started")
    before = bench.state()
    bench.write("interfaces: {lo: {zone: untrust, virtual-router: default}}\nzones: {untrust: {}}\n")
    gateway.signal(signal.SIGHUP).until("runtime.reload-applied")
    assert "tunnel.1" not in bench.state()
    bench.write(CONFIG)
    gateway.said.clear()
    gateway.signal(signal.SIGHUP).until("runtime.reload-applied")
    assert bench.state() == before


def test_what_somebody_takes_away_comes_back(bench: Bench) -> None:
    bench.start().until("runtime.started")
    whole = bench.state()
    for damage in ("ip route flush proto 73", "nft flush ruleset", "ip link set tunnel.1 down"):
        bench.host.shell(damage)
        deadline = time.monotonic() + 20
        while bench.state() != whole:
            assert time.monotonic() < deadline, damage
            time.sleep(0.1)


def test_peers_that_do_not_answer_hold_the_end_up_for_a_while_only(bench: Bench) -> None:
    gateway = bench.start("stubborn").until("runtime.started")
    assert gateway.signal(signal.SIGTERM).end() == 0
    assert bench.state() == bench.before


def test_a_second_signal_ends_it_at_once_and_still_leaves_nothing(bench: Bench) -> None:
    gateway = bench.start("stubborn", "patient").until("runtime.started")
    gateway.signal(signal.SIGTERM).until("runtime.stopping")
    with pytest.raises(subprocess.TimeoutExpired):
        gateway.process.wait(timeout=0.3)
    assert gateway.signal(signal.SIGTERM).end() == 0
    assert bench.state() == bench.before


def test_a_service_or_a_listener_that_breaks_takes_nothing_with_it(bench: Bench) -> None:
    gateway = bench.start("broken-service", "broken-listener").until("runtime.fault").until("service-up")
    assert "10.2.0.0/16 dev tunnel.1" in bench.state()
    assert gateway.signal(signal.SIGTERM).end() == 0
    assert gateway.said[-1] == "runtime.stopped"
