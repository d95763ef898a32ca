"""UDP for IKE: sockets of our own on port 500 of each local address; port 4500 goes through the data plane."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv4Address, ip_address
from typing import Final, TypeVar

from isthmus.dataplane.backend import DataPlaneRefusal
from isthmus.engine.outputs import SendDatagram, SendKeepAlive
from isthmus.events.event import Event
from isthmus.events.runtime import ListenFailed, Listening, SendFailed
from isthmus.model.address import IKE_PORT, NAT_T_PORT, Address, Datagram, Endpoint
from isthmus.model.quantities import Instant
from isthmus.runtime.plane import Plane
from isthmus.runtime.port import Port, Queue

Order = TypeVar("Order", SendDatagram, SendKeepAlive)

LARGEST_DATAGRAM = 65535
BURST = 64
"""Datagrams taken at once from one socket, before timers and other sockets have their turn."""
BURST_OF_STRANGERS = 16
"""The same of first messages: whoever is known waits for no more than these."""
REMEMBERED_FAILURES = 1024
"""Ways that failed lately, so that each failure is told once. Peers can be strangers, so the number is bounded."""


class Transport:
    """Listens at local addresses and sends from them. Nothing that the network does to it raises."""

    def __init__(
        self,
        plane: Plane,
        *,
        deliver: Callable[[Datagram], None],
        record: Callable[[Event], None],
        clock: Callable[[], Instant],
    ) -> None:
        self._plane: Final = plane
        self._deliver: Final = deliver
        self._record: Final = record
        self._clock: Final = clock
        self._wanted: dict[Address, str | None] = {}
        """Our addresses, each with the interface of the host that it is bound to."""
        self._expected: Mapping[Address, frozenset[Address]] = {}
        self._ports: dict[Address, Port] = {}
        self._encapsulated: set[Address] = set()
        self._deaf: set[Endpoint] = set()
        self._failing: dict[tuple[Endpoint, Endpoint], str] = {}

    @property
    def listening(self) -> frozenset[Endpoint]:
        return frozenset(
            {Endpoint(address, IKE_PORT) for address in self._ports}
            | {Endpoint(address, NAT_T_PORT) for address in self._encapsulated}
        )

    def expect(self, peers: Mapping[Address, frozenset[Address]]) -> None:
        """From where peers may come to each of our addresses: a flood from elsewhere does not delay them."""
        before, self._expected = self._expected, peers
        for local, port in self._ports.items():
            if peers.get(local) != before.get(local):
                port.expect(peers.get(local, ()))

    def listen(self, addresses: Mapping[Address, str | None]) -> None:
        """Listens at these too, by any interface or by one of the host. What fails now, `retry` tries again."""
        for address, device in addresses.items():
            if self._wanted.get(address, device) != device:
                self._leave(address)
        self._wanted |= addresses
        self.retry()

    def retry(self) -> None:
        """Opens what is wanted and not open: an address may come later than we do."""
        for address in self._wanted.keys() - self._ports.keys():
            self._attempt(Endpoint(address, IKE_PORT), self._open)
        for address in self._wanted.keys() - self._encapsulated:
            self._attempt(Endpoint(address, NAT_T_PORT), self._open_encapsulated)

    def retain(self, addresses: Collection[Address]) -> None:
        """Closes all that is open elsewhere."""
        self._wanted = {address: device for address, device in self._wanted.items() if address in addresses}
        for address in (self._ports.keys() | self._encapsulated) - self._wanted.keys():
            self._leave(address)
        self._deaf = {local for local in self._deaf if local.address in self._wanted}

    def send(self, order: SendDatagram) -> None:
        """Sends one IKE message, with its marker where the local port is the NAT-T port."""
        send = self._send_encapsulated if order.local.port == NAT_T_PORT else self._send_plain
        self._send(order, send)

    def send_keep_alive(self, order: SendKeepAlive) -> None:
        self._send(order, lambda order: self._plane.send_keep_alive(order.local, order.remote))

    def close(self) -> None:
        self.retain(())

    def _open(self, local: Endpoint) -> None:
        port = self._ports[local.address] = Port(
            local, self._wanted[local.address], self._expected.get(local.address, ())
        )
        for queue in Queue:
            opened = port.socket_of(queue)
            burst = BURST_OF_STRANGERS if queue is Queue.FIRST else BURST
            asyncio.get_running_loop().add_reader(opened, self._receive, local, opened, burst)

    def _open_encapsulated(self, local: Endpoint) -> None:
        self._plane.listen(local.address, self._wanted[local.address])
        self._encapsulated.add(local.address)

    def _leave(self, address: Address) -> None:
        port = self._ports.pop(address, None)
        if port is not None:
            self._close(port)
        if address in self._encapsulated:
            self._encapsulated.discard(address)
            self._plane.unlisten(address)

    def _close(self, port: Port) -> None:
        for queue in Queue:
            asyncio.get_running_loop().remove_reader(port.socket_of(queue))
        port.close()

    def _attempt(self, local: Endpoint, open_: Callable[[Endpoint], None]) -> None:
        try:
            open_(local)
        except (OSError, DataPlaneRefusal) as error:
            if local not in self._deaf:
                self._deaf.add(local)
                self._record(ListenFailed(at=self._clock(), local=local, why=reason(error)))
            return
        self._deaf.discard(local)
        self._record(Listening(at=self._clock(), local=local))

    def _receive(self, local: Endpoint, opened: socket.socket, burst: int) -> None:
        for _ in range(burst):
            try:
                octets, source = opened.recvfrom(LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                # An ICMP error that belongs to an earlier datagram; it says nothing about this socket.
                continue
            self._deliver(Datagram(local, Endpoint(_address(source[0]), source[1]), octets))

    def _send_plain(self, order: SendDatagram) -> None:
        port = self._ports.get(order.local.address)
        if port is None:
            raise DataPlaneRefusal("nothing listens at this address")
        with contextlib.suppress(BlockingIOError):  # a full buffer is a lossy network
            port.send(order.octets, order.remote)

    def _send_encapsulated(self, order: SendDatagram) -> None:
        self._plane.send_ike(order.local, order.remote, order.octets)

    def _send(self, order: Order, send: Callable[[Order], None]) -> None:
        try:
            send(order)
        except (OSError, DataPlaneRefusal) as error:
            self._failed(order.local, order.remote, reason(error))
        else:
            if self._failing:
                self._failing.pop((order.local, order.remote), None)

    def _failed(self, local: Endpoint, remote: Endpoint, why: str) -> None:
        """Tells it once for each way."""
        if self._failing.get((local, remote)) != why:
            if len(self._failing) >= REMEMBERED_FAILURES:
                self._failing.clear()
            self._failing[local, remote] = why
            self._record(SendFailed(at=self._clock(), local=local, remote=remote, why=why))


def _address(text: str) -> Address:
    """What the kernel wrote: of IPv4 it need not be parsed with care, and a flood has many."""
    return ip_address(text) if ":" in text else IPv4Address(socket.inet_aton(text))


def reason(error: OSError | DataPlaneRefusal) -> str:
    """What the operator reads."""
    if isinstance(error, DataPlaneRefusal):
        return error.why
    return os.strerror(error.errno) if error.errno else str(error)
