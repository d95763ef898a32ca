"""Hostile datagrams: copies of real ones, spoilt in every way that a parser or a state machine may stumble over."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from ipaddress import IPv4Address

from isthmus.model.address import Endpoint
from isthmus.model.quantities import Seconds
from isthmus.sim.agenda import Agenda
from isthmus.sim.network import Frame, Network, flip_bit
from isthmus.wire import udp
from isthmus.wire.registry import ExchangeType, ExchangeTypeV1

Mutation = Callable[[bytes, random.Random], bytes]

HEADER = 28
"""RFC 7296, 3.1: octets of the IKE header."""

_FIRST = (bytes([ExchangeType.IKE_SA_INIT]), bytes([ExchangeTypeV1.IDENTITY_PROTECTION]))

MEMORY = 200
"""Frames that an attacker keeps to play with."""


def truncate(octets: bytes, rng: random.Random) -> bytes:
    return octets[: rng.randrange(len(octets) + 1)]


def extend(octets: bytes, rng: random.Random) -> bytes:
    return octets + rng.randbytes(rng.randrange(1, 64))


def lie_about_length(octets: bytes, rng: random.Random) -> bytes:
    """The header's length, or a payload's."""
    place = rng.choice((24, 30)) if len(octets) > HEADER + 4 else 24
    claim = rng.choice((0, 1, 3, 4, 27, 28, len(octets) - 1, len(octets) + 1, 0xFFFF))
    return _overwrite(octets, place, struct.pack("!I", claim) if place == 24 else struct.pack("!H", claim & 0xFFFF))


def other_message_id(octets: bytes, rng: random.Random) -> bytes:
    return _overwrite(octets, 20, struct.pack("!I", rng.choice((0, 1, 2, 3, 0x7FFFFFFF, 0xFFFFFFFF))))


def other_exchange(octets: bytes, rng: random.Random) -> bytes:
    return _overwrite(octets, 18, bytes([rng.choice((0, 2, 4, 5, 34, 35, 36, 37, 38, 43, 44, 255))]))


def other_flags(octets: bytes, rng: random.Random) -> bytes:
    return _overwrite(octets, 19, bytes([rng.randrange(256)]))


def other_version(octets: bytes, rng: random.Random) -> bytes:
    return _overwrite(octets, 17, bytes([rng.choice((0x00, 0x10, 0x21, 0x30, 0xF0))]))


def other_payload(octets: bytes, rng: random.Random) -> bytes:
    return _overwrite(octets, 16, bytes([rng.choice((0, 1, 33, 34, 41, 42, 46, 53, 128, 255))]))


def critical_bit(octets: bytes, _: random.Random) -> bytes:
    return _overwrite(octets, HEADER + 1, b"\x80")


def other_spi(octets: bytes, rng: random.Random) -> bytes:
    return _overwrite(octets, rng.choice((0, 8)), rng.choice((bytes(8), rng.randbytes(8))))


def swapped_spis(octets: bytes, _: random.Random) -> bytes:
    return octets[8:16] + octets[:8] + octets[16:]


def spoilt_end(octets: bytes, rng: random.Random) -> bytes:
    """The ICV of a sealed message."""
    return octets[:-1] + bytes([octets[-1] ^ (1 << rng.randrange(8))]) if octets else octets


def noise(_: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 4, 27, 28, 29, 64, 512, 1400)))


def as_it_was(octets: bytes, _: random.Random) -> bytes:
    """A plain replay."""
    return octets


MUTATIONS: tuple[Mutation, ...] = (
    flip_bit,
    truncate,
    extend,
    lie_about_length,
    other_message_id,
    other_exchange,
    other_flags,
    other_version,
    other_payload,
    critical_bit,
    other_spi,
    swapped_spis,
    spoilt_end,
    noise,
    as_it_was,
)


class Attacker:
    """Sees everything, can forge any address, knows no key: it sends spoilt copies and noise to everybody."""

    def __init__(self, network: Network, agenda: Agenda, rng: random.Random, every: Seconds = Seconds(0.01)) -> None:
        self.sent = 0
        self._network = network
        self._agenda = agenda
        self._rng = rng
        self._every = every
        self._seen: list[Frame] = []
        self._running = False
        network.taps.append(self._remember)

    def start(self) -> None:
        self._running = True
        self._strike()

    def stop(self) -> None:
        self._running = False

    def _remember(self, frame: Frame) -> None:
        if isinstance(frame.body, bytes):
            # The newest and a few of the oldest: the set-up is what one wants to replay.
            if len(self._seen) >= MEMORY:
                del self._seen[MEMORY // 2]
            self._seen.append(frame)

    def _strike(self) -> None:
        if not self._running:
            return
        if self._seen:
            self.sent += 1
            self._network.inject(self._forge(self._rng.choice(self._seen)))
        self._agenda.after(self._every, self._strike)

    def _forge(self, frame: Frame) -> Frame:
        rng = self._rng
        body = frame.body if isinstance(frame.body, bytes) else b""
        marker = udp.NON_ESP_MARKER if body.startswith(udp.NON_ESP_MARKER) else b""
        spoilt = marker + rng.choice(MUTATIONS)(body[len(marker) :], rng)
        source, destination = frame.source, frame.destination
        if rng.random() < 0.25:
            # Reflection: what a site sent comes back to it.
            source, destination = destination, source
        if rng.random() < 0.25:
            source = source.with_port(rng.randrange(1024, 65536))
        return Frame(source, destination, spoilt)


class Flood:
    """First messages from made-up addresses: copies of a real one, each with an SPI of its own."""

    def __init__(self, network: Network, agenda: Agenda, rng: random.Random, every: Seconds) -> None:
        self.sent = 0
        self._network = network
        self._agenda = agenda
        self._rng = rng
        self._every = every
        self._sample: Frame | None = None
        self._running = True
        network.taps.append(self._remember)

    def stop(self) -> None:
        self._running = False

    def _remember(self, frame: Frame) -> None:
        octets = frame.body
        if self._sample is None and isinstance(octets, bytes) and octets[18:19] in _FIRST and octets[8:16] == bytes(8):
            self._sample = frame
            self._pour()

    def _pour(self) -> None:
        sample = self._sample
        if not self._running or sample is None or not isinstance(sample.body, bytes):
            return
        rng = self._rng
        stranger = Endpoint(IPv4Address(rng.randrange(1 << 24, 223 << 24)), rng.randrange(1024, 65536))
        octets = rng.randbytes(8) + sample.body[8:]
        self.sent += 1
        self._network.inject(Frame(stranger, sample.destination, octets))
        self._agenda.after(self._every, self._pour)


def _overwrite(octets: bytes, place: int, value: bytes) -> bytes:
    if len(octets) < place + len(value):
        return octets
    return octets[:place] + value + octets[place + len(value) :]
