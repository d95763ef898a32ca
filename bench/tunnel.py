"""What one tunnel costs on this machine: time to come up, TCP throughput with and without it, memory.

Both gateways, both hosts and the router share the machine's processors, and the senders are Python: read the ratio, and
compare only figures of the same machine. `python bench/tunnel.py [SECONDS]`, as root.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from isthmus.cli.lab import plan_of
from isthmus.lab.gateways import RunningGateway
from isthmus.lab.namespaces import Namespace, Playground
from isthmus.lab.stand import Stand, build
from isthmus.lab.topology import Flow, Topology, stage
from isthmus.model.address import Address

_SITES = Path(__file__).resolve().parent.parent / "examples/two-sites"
_PIECE = bytes(1 << 18)


def main(seconds: float) -> None:
    files = {file.stem: file for file in sorted(_SITES.glob("*.yaml"))}
    topology = stage({name: plan_of(file) for name, file in files.items()})
    flow = topology.flows()[0]
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="isthmus-bench-")))
        stand = build(topology, stack.enter_context(Playground("bench")))
        clear = _between_gateways(stand, topology, flow, seconds)
        began = time.monotonic()
        gateways = [
            stack.enter_context(RunningGateway(name, namespace, files[name], home / name))
            for name, namespace in stand.gateways.items()
        ]
        for gateway in gateways:
            gateway.await_tunnels()
        up = time.monotonic() - began
        for gateway in gateways:
            gateway.await_single_sas()
        sealed = _rate(stand.hosts[flow.source], flow.source, stand.hosts[flow.destination], flow.destination, seconds)
        suite = gateways[0].table("show", "ipsec-sa")[0]["encryption"]
        memory = max(_resident(gateway.pid) for gateway in gateways)
    print(f"from two process starts to a tunnel  {up:8.2f} s")
    print(f"TCP between the gateways, in clear   {clear / 1e6:8.0f} Mbit/s")
    print(f"TCP between the hosts, {suite:<12}  {sealed / 1e6:8.0f} Mbit/s")
    print(f"resident memory of a gateway         {memory / 2**20:8.0f} MiB")


def _between_gateways(stand: Stand, topology: Topology, flow: Flow, seconds: float) -> float:
    here, there = (topology.site(name).legs[0].addresses[0] for name in (flow.site, flow.other))
    return _rate(stand.gateways[flow.site], here, stand.gateways[flow.other], there, seconds)


def _rate(here: Namespace, source: Address, there: Namespace, destination: Address, seconds: float) -> float:
    """Bits a second of one TCP connection, counted where they arrive."""
    with there.inside():
        listener = socket.create_server((str(destination), 0))
    with here.inside():
        sender = socket.socket()
    arrived = 0

    def receive() -> None:
        nonlocal arrived
        buffer = bytearray(1 << 20)
        with listener.accept()[0] as connection:
            while octets := connection.recv_into(buffer):
                arrived += octets

    receiver = threading.Thread(target=receive)
    receiver.start()
    began = time.monotonic()
    with listener, sender:
        sender.bind((str(source), 0))
        sender.connect(listener.getsockname())
        while time.monotonic() - began < seconds:
            sender.sendall(_PIECE)
        sender.shutdown(socket.SHUT_WR)
        receiver.join()
    return arrived * 8 / (time.monotonic() - began)


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
