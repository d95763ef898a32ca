"""The network between the sites: links that delay, lose, repeat, reorder and spoil; partitions; hooks in the middle."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from isthmus.dataplane.memory import EspPacket, Packet
from isthmus.model.address import Address, Endpoint
from isthmus.model.quantities import Instant, Seconds
from isthmus.sim.agenda import Agenda
from isthmus.sim.transcript import Transcript

UDP_OVERHEAD = 28
"""IPv4 and UDP headers around an IKE message."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One IP packet on the wire. Ports are 0 where it is not UDP."""

    source: Endpoint
    destination: Endpoint
    body: bytes | EspPacket | Packet
    """UDP payload, ESP, or (which must never be) a protected packet in the clear."""
    udp: bool = True

    @property
    def size(self) -> int:
        size = len(self.body) if isinstance(self.body, bytes) else self.body.size
        return size + UDP_OVERHEAD if self.udp else size + 20


@dataclass(frozen=True, slots=True)
class Link:
    """How one direction between two addresses behaves. Probabilities are per frame."""

    latency: tuple[float, float] = (0.005, 0.020)
    """Seconds, drawn evenly between the two: the spread is the jitter, and reorders by itself."""
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    """Held back by up to `reorder_by`, so that later frames overtake."""
    reorder_by: Seconds = Seconds(1.0)
    corrupt: float = 0.0
    """One bit is flipped."""
    mtu: int | None = None
    """Larger frames vanish, as where a firewall drops IP fragments; None: all pass."""


@dataclass(frozen=True, slots=True)
class Partition:
    """Nothing passes from one address to another for a while. None stands for any address."""

    source: Address | None
    destination: Address | None
    start: Instant
    end: Instant

    def stops(self, frame: Frame, now: Instant) -> bool:
        return (
            self.start <= now < self.end
            and self.source in (None, frame.source.address)
            and self.destination in (None, frame.destination.address)
        )


@dataclass(frozen=True, slots=True)
class Pass:
    """Carry it: as it is, later, or changed."""

    frame: Frame
    delay: Seconds = Seconds(0.0)


@dataclass(frozen=True, slots=True)
class Drop:
    """Swallow it."""


Verdict: TypeAlias = Pass | Drop
Hook: TypeAlias = Callable[[Frame], Verdict | None]
"""Looks at a frame in the middle; None: not mine."""

Receiver: TypeAlias = Callable[[Frame], None]


class Uplink(Protocol):
    """What a site is plugged into: the network itself, or a NAT in front of it."""

    def attach(self, address: Address, receiver: Receiver) -> None: ...

    def send(self, frame: Frame) -> None: ...


@dataclass(slots=True)
class Tally:
    """What became of the frames."""

    sent: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    corrupted: int = 0
    too_big: int = 0
    partitioned: int = 0
    unreachable: int = 0


@dataclass(slots=True)
class Network:
    """Carries frames between attached addresses over links. One seed, one behaviour."""

    agenda: Agenda
    rng: random.Random
    transcript: Transcript
    link: Link = field(default_factory=Link)
    """For pairs without a link of their own."""
    links: dict[tuple[Address, Address], Link] = field(default_factory=dict)
    partitions: list[Partition] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    taps: list[Callable[[Frame], None]] = field(default_factory=list)
    """See every frame that a site or a NAT put on the wire, before its fate is drawn."""
    tally: Tally = field(default_factory=Tally)
    ike_in_flight: int = 0
    _receivers: dict[Address, Receiver] = field(default_factory=dict)

    def attach(self, address: Address, receiver: Receiver) -> None:
        self._receivers[address] = receiver

    def send(self, frame: Frame) -> None:
        """A frame leaves a site."""
        self.tally.sent += 1
        self.transcript.feed(self.agenda.now, _octets(frame))
        for tap in self.taps:
            tap(frame)
        self.inject(frame)

    def inject(self, frame: Frame, delay: Seconds = Seconds(0.0)) -> None:
        """A frame from whoever can put one on the wire; it meets the hooks and the link, and no tap."""
        for hook in tuple(self.hooks) if self.hooks else ():
            match hook(frame):
                case Drop():
                    self._note(frame, "dropped in the middle")
                    return
                case Pass(changed, later):
                    frame, delay = changed, Seconds(delay + later)
                case None:
                    pass
        self._carry(frame, delay)

    def partition(
        self, seconds: float, *, source: Address | None = None, destination: Address | None = None
    ) -> Partition:
        """From now on for so long, in the named direction or in all."""
        now = self.agenda.now
        cut = Partition(source, destination, now, Instant(now + seconds))
        self.partitions.append(cut)
        return cut

    def deliver(self, frame: Frame, delay: Seconds) -> None:
        """A frame that no link touches any more."""
        self.ike_in_flight += isinstance(frame.body, bytes)
        self.agenda.after(delay, lambda: self._arrive(frame))

    def _carry(self, frame: Frame, delay: Seconds) -> None:
        now, rng = self.agenda.now, self.rng
        link = self.link
        if self.links:
            link = self.links.get((frame.source.address, frame.destination.address), link)
        if self.partitions and any(cut.stops(frame, now) for cut in self.partitions):
            self.tally.partitioned += 1
            return self._note(frame, "stopped by a partition")
        if link.mtu is not None and frame.size > link.mtu:
            self.tally.too_big += 1
            return self._note(frame, "too big for the link")
        if rng.random() < link.loss:
            self.tally.lost += 1
            return self._note(frame, "lost")
        if rng.random() < link.corrupt:
            self.tally.corrupted += 1
            self._note(frame, "corrupted")
            frame = replace(frame, body=_spoil(frame.body, rng))
        copies = 1
        if rng.random() < link.duplicate:
            self.tally.duplicated += 1
            copies = 2
        for _ in range(copies):
            shortest, longest = link.latency
            late = rng.random() * link.reorder_by if rng.random() < link.reorder else 0.0
            self.deliver(frame, Seconds(delay + shortest + rng.random() * (longest - shortest) + late))
        return None

    def _arrive(self, frame: Frame) -> None:
        self.ike_in_flight -= isinstance(frame.body, bytes)
        receiver = self._receivers.get(frame.destination.address)
        if receiver is None:
            self.tally.unreachable += 1
            return
        self.tally.delivered += 1
        receiver(frame)

    def _note(self, frame: Frame, fate: str) -> None:
        if isinstance(frame.body, EspPacket):
            return  # they come by the thousand, and would push the negotiation out of the transcript
        self.transcript.note(self.agenda.now, "network", lambda: f"{frame.source} > {frame.destination} {fate}")


def _octets(frame: Frame) -> bytes:
    """What is on the wire: enough to tell two runs apart."""
    source, destination = frame.source, frame.destination
    ends = source.address.packed + destination.address.packed + struct.pack("!HH", source.port, destination.port)
    match frame.body:
        case EspPacket(spi, sequence, _, icv):
            return ends + struct.pack("!II", spi, sequence) + icv
        case Packet(header=header, payload=payload):
            return ends + header + payload
        case octets:
            return ends + octets


def _spoil(body: bytes | EspPacket | Packet, rng: random.Random) -> bytes | EspPacket | Packet:
    if isinstance(body, EspPacket):
        return replace(body, icv=flip_bit(body.icv, rng))
    return flip_bit(body, rng) if isinstance(body, bytes) else body


def flip_bit(octets: bytes, rng: random.Random) -> bytes:
    """One bit of it, anywhere."""
    if not octets:
        return octets
    place = rng.randrange(len(octets) * 8)
    spoilt = bytearray(octets)
    spoilt[place // 8] ^= 1 << place % 8
    return bytes(spoilt)
