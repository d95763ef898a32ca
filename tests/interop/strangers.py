"""IKE_SA_INIT requests from addresses that nobody has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from isthmus.lab.capture import Capture, Seen
from isthmus.lab.gateways import RunningGateway
from isthmus.model.address import Address
from tests.interop.bench import LEFT, Bench
from tests.interop.patience import order

_END = Path(__file__).with_name("flood_end.py")


def genuine_request(bench: Bench, peer: RunningGateway) -> bytes:
    """What the left sends first when it begins. It ends again."""
    peer.await_answers()
    with Capture(bench.middle) as capture:
        order(peer, "test", "ike-sa", "there")
        seen = [packet for packet in capture.stop() if _is_request(packet)]
    order(peer, "clear", "ike-sa", "there")
    return seen[0].octets[28:]


def flood(
    bench: Bench, target: Address, request: bytes, home: Path, *, rate: float, seconds: float
) -> subprocess.Popen[bytes]:
    """Copies of the request, each from an address and with an SPI of its own. Ends by saying how many, in how long."""
    file = home / "request"
    file.write_bytes(request)
    argv: list[str | Path] = [sys.executable, "-I", _END, str(target), file, str(rate), str(seconds)]
    return bench.middle.start(argv, output=subprocess.PIPE)


def _is_request(packet: Seen) -> bool:
    """An IKE_SA_INIT request from the left."""
    octets = packet.octets
    return octets[9:10] == b"\x11" and octets[12:16] == LEFT.packed and octets[28 + 18 : 28 + 20] == b"\x22\x08"
