"""Ten thousand datagrams that nobody should send, some of them in the peer's name."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from isthmus.lab.capture import Capture, Seen
from tests.interop.bench import LEFT, RIGHT, Bench
from tests.interop.pairing import running, two_of_ours

pytestmark = pytest.mark.interop

_ROUNDS = 2
_EACH_ROUND = 5000
_UDP = 17


def test_ten_thousand_bad_datagrams_change_nothing(bench: Bench, tmp_path: Path) -> None:
    with Capture(bench.middle) as capture, running(bench, tmp_path, two_of_ours()) as (gateway, peer):
        assert bench.pings(0) == (4, 4)
        genuine = [packet.octets for packet in capture.stop() if _to_left(packet)]
        spis = {row["spi_in"] for row in gateway.table("show", "ipsec-sa")}
        sizes = []
        chance = random.Random(20261123)
        for _ in range(_ROUNDS):
            with bench.middle.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
                for number, packet in enumerate(_bad_packets(chance, genuine)):
                    raw.sendto(packet, (str(LEFT), 0))
                    if number % 50 == 0:  # as fast as it is read, not faster: a full socket buffer tests the kernel
                        time.sleep(0.01)
            assert gateway.ask("status").status == 0
            sizes.append(_resident(gateway.pid))
        assert bench.pings(0) == (4, 4)
        assert bench.pings(1) == (4, 4)
        assert {row["spi_in"] for row in gateway.table("show", "ipsec-sa")} == spis
        assert gateway.running
        assert peer.running
    # Half-open SAs of the first round may still stand; another round must not add as much again.
    assert sizes[1] - sizes[0] < 8 << 20, [f"{size >> 20} MiB" for size in sizes]


def _bad_packets(chance: random.Random, genuine: list[bytes]) -> Iterator[bytes]:
    for number in range(_EACH_ROUND):
        kind = number % 5
        source = RIGHT.packed if chance.random() < 0.7 else chance.randbytes(4)
        port = chance.choice([500, 4500])
        if kind == 0:
            payload = chance.randbytes(chance.randrange(0, 1400))
        elif kind == 1:  # a fresh IKE_SA_INIT by its header, and noise behind it
            payload = _ike_header(chance) + chance.randbytes(chance.randrange(0, 800))
        else:
            payload = _mutant(chance, _payload(chance.choice(genuine)))
        if kind == 1 and port == 4500:
            payload = bytes(4) + payload
        yield _udp(source, chance.choice([500, 4500, chance.randrange(1, 65536)]), port, payload)


def _mutant(chance: random.Random, payload: bytes) -> bytes:
    octets = bytearray(payload)
    match chance.randrange(5):
        case 0:
            for _ in range(chance.randrange(1, 6)):
                octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
        case 1:
            del octets[chance.randrange(len(octets)) :]
        case 2:
            octets += chance.randbytes(chance.randrange(1, 200))
        case 3:  # a length or a count somewhere becomes its extreme
            at = chance.randrange(len(octets))
            octets[at : at + 2] = chance.choice([b"\x00\x00", b"\xff\xff", b"\x00\x01", b"\x7f\xff"])
        case _:  # told again as it was
            pass
    return bytes(octets)


def _ike_header(chance: random.Random) -> bytes:
    return struct.pack(
        "!8s8sBBBBII", chance.randbytes(8), bytes(8), chance.choice([33, 34, 40, 53]), 0x20, 34, 0x08, 0, 0x100
    )


def _to_left(packet: Seen) -> bool:
    return packet.ethertype == 0x0800 and packet.octets[9] == _UDP and packet.octets[16:20] == LEFT.packed


def _payload(packet: bytes) -> bytes:
    return packet[(packet[0] & 0x0F) * 4 + 8 :]


def _udp(source: bytes, source_port: int, port: int, payload: bytes) -> bytes:
    header = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(payload), 0, 0, 64, _UDP, 0) + source + LEFT.packed
    return header + struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError("VmRSS")
