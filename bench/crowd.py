"""`python -m bench.crowd ROW COUNT AT-ONCE`: so many initiators, each at an address of its own, set up an SA each.

They are one engine of ours over two real sockets. When all stand it says how many seconds that took; the SAs are
kept, and the responder is answered, until its standard input ends.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from bench.rows import BEHIND, KEY, RESPONDER, ROWS, Row, address_of, host_of, name_of
from isthmus.engine.commands import InitiateChild
from isthmus.engine.gateway import Gateway
from isthmus.engine.outputs import SendDatagram
from isthmus.engine.surroundings import Surroundings
from isthmus.events.child import ChildInstalled
from isthmus.events.ike import NegotiationFailed
from isthmus.model.address import IKE_PORT, NAT_T_PORT, Datagram, Endpoint
from isthmus.model.identity import Identity
from isthmus.model.plan import Liveness, Plan, Start, Version
from isthmus.model.quantities import Instant, Seconds
from isthmus.model.selectors import TrafficSelector
from isthmus.runtime.entropy import SystemEntropy
from isthmus.sim.plans import Party, ProxyId, plan_of

_IP_PKTINFO = 8
_PACKET_INFO = struct.Struct("=i4s4s")
"""linux/in.h: struct in_pktinfo."""
_MARKER = bytes(4)
_BUFFER = 16 << 20
_SO_RCVBUFFORCE = 33


def plan(row: Row, count: int) -> Plan:
    version = Version.IKEV1 if row.version == 1 else Version.IKEV2
    pair = (ProxyId("lan", "10.64.0.1/32", str(BEHIND)),)
    long = Seconds(86400.0)
    crowd = Party(
        "crowd",
        "10.64.0.1",
        pair,
        psk=KEY.encode(),
        ike=(row.ike,),
        esp=(row.esp,),
        ike_lifetime=long,
        child_lifetime=long,
        start=Start.ON_DEMAND,
        liveness=Liveness(interval=long),
        version=version,
    )
    one = plan_of(crowd, replace(crowd, name="hub", address=str(RESPONDER)))
    peer, tunnel = one.peers["hub"], one.tunnels["hub"]
    peers, tunnels = {}, {}
    for number in range(count):
        name, address = name_of(number), address_of(number)
        identity = Identity.of_address(address)
        host = (TrafficSelector(host_of(number), host_of(number)),)
        child = replace(tunnel.children[0], tunnel=name, local=host)
        peers[name] = replace(peer, name=name, local=address, local_id=identity, peer_id=Identity.of_address(RESPONDER))
        tunnels[name] = replace(tunnel, name=name, peer=name, children=(child,))
    return replace(one, peers=peers, tunnels=tunnels)


class Crowd:
    """Drives the engine: no event loop, no data plane."""

    def __init__(self, row: Row, count: int, at_once: int) -> None:
        self._engine = Gateway(plan(row, count), Surroundings(SystemEntropy()))
        self._sockets = {port: _opened(port) for port in (IKE_PORT, NAT_T_PORT)}
        self._ports = {opened.fileno(): port for port, opened in self._sockets.items()}
        self._poll = select.poll()
        for opened in self._sockets.values():
            self._poll.register(opened, select.POLLIN)
        self._waiting = iter(f"{name_of(number)}:lan" for number in range(count))
        self._missing = count
        self._engine.handle_timer(_now())
        self._carry_out()
        for _ in range(at_once):
            self._begin_next()

    def run(self) -> None:
        """Until all stand."""
        while self._missing:
            self._turn()

    def linger(self) -> None:
        """Until standard input ends."""
        self._poll.register(sys.stdin, select.POLLIN)
        while self._turn():
            pass

    def _turn(self) -> bool:
        due = self._engine.next_timer()
        wait = 1.0 if due is None else min(max(due - _now(), 0.0), 1.0)
        for descriptor, _ in self._poll.poll(wait * 1000):
            if descriptor not in self._ports:
                return False
            for datagram in _received(self._sockets[self._ports[descriptor]], self._ports[descriptor]):
                self._engine.receive(datagram, _now())
                self._carry_out()
        self._engine.handle_timer(_now())
        self._carry_out()
        return True

    def _carry_out(self) -> None:
        while (output := self._engine.poll()) is not None:
            match output:
                case SendDatagram():
                    self._send(output)
                case ChildInstalled():
                    self._missing -= 1
                    self._begin_next()
                case NegotiationFailed():
                    raise SystemExit(f"{output.tell()} {output.detail} {output.they_said}")
                case _:
                    pass

    def _begin_next(self) -> None:
        if (child := next(self._waiting, None)) is not None:
            self._engine.command(InitiateChild(child), _now())
            self._carry_out()

    def _send(self, order: SendDatagram) -> None:
        port = order.local.port
        source = _PACKET_INFO.pack(0, order.local.address.packed, bytes(4))
        octets = _MARKER + order.octets if port == NAT_T_PORT else order.octets
        there = str(order.remote.address), order.remote.port
        self._sockets[port].sendmsg([octets], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, there)


def _opened(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
    opened.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    opened.bind(("0.0.0.0", port))
    return opened


def _received(opened: socket.socket, port: int) -> Iterator[Datagram]:
    while True:
        try:
            octets, about, _, source = opened.recvmsg(65535, 64)
        except BlockingIOError:
            return
        here = ip_address(_PACKET_INFO.unpack(about[0][2])[2])
        if port == NAT_T_PORT:
            if not octets.startswith(_MARKER):
                continue  # a keep-alive
            octets = octets[len(_MARKER) :]
        yield Datagram(Endpoint(here, port), Endpoint(ip_address(source[0]), source[1]), octets)


def _now() -> Instant:
    return Instant(time.monotonic())


def main() -> None:
    name, count, at_once = sys.argv[1:]
    row = next(row for row in ROWS if row.name == name)
    crowd = Crowd(row, int(count), int(at_once))
    began = time.monotonic()
    crowd.run()
    print(time.monotonic() - began, flush=True)
    crowd.linger()


if __name__ == "__main__":
    main()
