"""A flood of requests from addresses that nobody has: a peer that is there still gets in.

ISTHMUS_FULL=1 makes it 20,000 a second for 20 seconds, for a machine that has nothing else to do.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import time
from pathlib import Path

import pytest

from isthmus.lab.gateways import RunningGateway
from tests.interop.bench import RIGHT, Bench
from tests.interop.ours import ours
from tests.interop.pairing import two_of_ours
from tests.interop.strangers import flood, genuine_request

pytestmark = pytest.mark.interop

_RATE, _SECONDS = (20_000, 20) if os.environ.get("ISTHMUS_FULL") == "1" else (5_000, 5)
_LEAST_REACHED = 0.5
"""Of the rate, on a busy machine."""
_CONNECTS = 3.0
_GROWTH = 16 << 20
_STRANGERS = """
  stranger:
    interface: eth0
    local-address: {local}
    peer-address: dynamic
    authentication: {{pre-shared-key: {{file: peer.psk}}}}
    peer-id: {{fqdn: nobody.example}}
    ikev2: {{ike-crypto-profile: suite}}
"""
"""Without a gateway for anybody the flood ends at the look at its address."""


def test_a_flood_of_requests_keeps_no_peer_out(bench: Bench, tmp_path: Path) -> None:
    left, right = two_of_ours()
    right = dataclasses.replace(
        right, gateway=_STRANGERS.format(local=RIGHT), more="settings: {cookie-activation-threshold: 0}"
    )
    with (
        ours(right, bench.right, tmp_path / "right") as gateway,
        ours(dataclasses.replace(left, start="on-demand"), bench.left, tmp_path / "left") as peer,
    ):
        gateway.await_answers()
        request = genuine_request(bench, peer)
        before, counted, begun = _resident(gateway.pid), _metrics(gateway), _begun(peer)
        flooding = flood(bench, RIGHT, request, tmp_path, rate=_RATE, seconds=_SECONDS)
        try:
            time.sleep(1)
            began = time.monotonic()
            outcome = _http(peer, "POST", "/v1/test/ipsec-sa/there:one?timeout=20")
            took = time.monotonic() - began
            in_time = flooding.poll() is None
            said, _ = flooding.communicate(timeout=_SECONDS + 30)
        finally:
            if flooding.poll() is None:
                flooding.kill()
                flooding.wait()
        after, counts = _resident(gateway.pid), _metrics(gateway)
        sent, seconds = map(float, said.split())
        cookies, answered = (
            counts[name] - counted[name]
            for name in ("isthmus_ike_cookies_sent_total", "isthmus_ike_key_exchanges_answered_total")
        )
        print(
            f"{sent / seconds:.0f} requests a second for {seconds:.1f} s, {cookies:.0f} cookies, {answered:.0f} key "
            f"exchanges, connected in {took:.2f} s, memory {(after - before) / (1 << 20):+.1f} MiB"
        )
        assert '"result":"up"' in outcome.replace(" ", ""), outcome
        assert in_time, "the flood was over before the peer connected"
        assert took < _CONNECTS
        assert bench.pings(0) == (4, 4)
        # One for each time that the peer began, and none for the flood.
        assert 1 <= answered <= _begun(peer) - begun
        assert after - before < _GROWTH
        assert sent / seconds > _RATE * _LEAST_REACHED


def _metrics(gateway: RunningGateway) -> dict[str, float]:
    """Those without labels."""
    answer = _http(gateway, "GET", "/metrics")
    lines = (line.split() for line in answer.splitlines() if line and not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, value in lines}


def _begun(gateway: RunningGateway) -> int:
    """How often it has begun an IKE SA."""
    return len(json.loads(_http(gateway, "GET", "/v1/events?code=ike.started&limit=1000")))


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError("VmRSS")


def _http(gateway: RunningGateway, method: str, path: str) -> str:
    """What a verb asks, without the time that it takes to start."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(gateway.socket))
        connection.sendall(f"{method} {path} HTTP/1.0\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(1 << 16), b"")).partition(b"\r\n\r\n")[2].decode()
