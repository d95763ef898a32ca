"""A data plane in memory, for the simulation: tables, choices and counters of a real one, and packets as plain values.

A packet is not enciphered; it carries a digest over its sequence number and content, keyed with everything that the
two ends must agree on. A disagreement about a key or an algorithm therefore shows as `integrity-failed`.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import assert_never

from isthmus.dataplane.backend import (
    Acquire,
    DataPlaneRefusal,
    FirstInbound,
    HardExpired,
    Notice,
    PeerMoved,
    SoftExpired,
)
from isthmus.model.address import Address, Endpoint
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import InboundSpi, Instant
from isthmus.model.sa_spec import (
    DataPlaneOp,
    Direction,
    InstallPolicy,
    InstallSa,
    PolicySpec,
    RemovePolicy,
    RemoveSa,
    SaCounters,
    SaId,
    SaSpec,
    UpdateSa,
)
from isthmus.model.selectors import TrafficSelector

LOWEST_SPI = 256
"""RFC 4303, 2.1: 1 to 255 are reserved, 0 never leaves a host."""

ACQUIRE_INTERVAL = 1.0
"""Seconds between two acquires of one child: a flood of packets asks once."""

_WORD = 1 << 32


@dataclass(frozen=True, slots=True)
class Packet:
    """An inner IP packet, as far as a selector looks at it."""

    source: Address
    destination: Address
    protocol: int = 17
    source_port: int = 40000
    destination_port: int = 9
    payload: bytes = b""
    header: bytes = field(init=False, repr=False, compare=False)
    """All but the payload, as octets: what tables are looked up by, and what the digest covers."""

    def __post_init__(self) -> None:
        ends = struct.pack("!BHH", self.protocol, self.source_port, self.destination_port)
        object.__setattr__(self, "header", self.source.packed + self.destination.packed + ends)

    def carrying(self, payload: bytes) -> Packet:
        """The next packet of the same flow: what `replace` would make, without packing the header anew."""
        packet, put = object.__new__(Packet), object.__setattr__
        put(packet, "source", self.source)
        put(packet, "destination", self.destination)
        put(packet, "protocol", self.protocol)
        put(packet, "source_port", self.source_port)
        put(packet, "destination_port", self.destination_port)
        put(packet, "header", self.header)
        put(packet, "payload", payload)
        return packet

    @property
    def size(self) -> int:
        """Octets of the packet with a plain IP header."""
        return (20 if self.source.version == 4 else 40) + 8 + len(self.payload)


@dataclass(frozen=True, slots=True)
class EspPacket:
    """A protected packet. `sequence` is what stands on the wire: the low 32 bits."""

    spi: int
    sequence: int
    inner: Packet
    icv: bytes
    protocol: Protocol = Protocol.ESP

    @property
    def size(self) -> int:
        """Octets with a plausible ESP overhead: header, IV, trailer and ICV."""
        return self.inner.size + 8 + 8 + 2 + len(self.icv)


@dataclass(frozen=True, slots=True)
class Emission:
    """A protected packet and where it goes. Ports are 0 where it is not UDP."""

    local: Endpoint
    remote: Endpoint
    udp: bool
    esp: EspPacket


@dataclass(frozen=True, slots=True)
class Arrival:
    """An inner packet that proved itself, and the tunnel interface that it arrives at."""

    interface: str
    child: str
    packet: Packet


def _accept(_: DataPlaneOp) -> str | None:
    return None


class MemoryPlane:
    """Implements `DataPlane`. `refuse` names a reason for an operation that is to fail, as a full kernel would."""

    def __init__(
        self,
        clock: Callable[[], Instant],
        refuse: Callable[[DataPlaneOp], str | None] = _accept,
        sequence_space: int = _WORD,
    ) -> None:
        self._clock = clock
        self._refuse = refuse
        self._sequence_space = sequence_space
        """Packets that one SA may carry without ESN; lowered to see its end."""
        self._sas: dict[SaId, _Sa] = {}
        """In order of installation."""
        self._policies: dict[str, PolicySpec] = {}
        self._found = _Found()
        self._notices: deque[Notice] = deque()
        self._drops: Counter[str] = Counter()
        self._acquired_at: dict[str, Instant] = {}

    def apply(self, op: DataPlaneOp) -> None:
        why = self._refuse(op)
        if why is not None:
            raise DataPlaneRefusal(why)
        self._found = _Found()
        match op:
            case InstallSa(spec):
                self._install(spec)
            case UpdateSa(sa, local, remote, udp):
                self._update(sa, local, remote, udp=udp)
            case RemoveSa(sa):
                self._sas.pop(sa, None)
            case InstallPolicy(policy):
                self._policies[policy.child] = policy
            case RemovePolicy(child):
                self._policies.pop(child, None)
                self._acquired_at.pop(child, None)
            case _:
                assert_never(op)

    def counters(self, sa: SaId) -> SaCounters:
        held = self._sas.get(sa)
        return held.counters if held else SaCounters()

    def notices(self) -> Iterable[Notice]:
        if not self._notices:
            return ()
        said = tuple(self._notices)
        self._notices.clear()
        return said

    def heard(self) -> Iterable[InboundSpi]:
        spis = tuple(InboundSpi(sa.spec.spi) for sa in self._sas.values() if sa.heard)
        for sa in self._sas.values():
            sa.heard = False
        return spis

    def drops(self) -> dict[str, int]:
        return dict(self._drops)

    def close(self) -> None:
        self._found = _Found()
        self._sas.clear()
        self._policies.clear()
        self._notices.clear()
        self._acquired_at.clear()

    @property
    def installed(self) -> tuple[SaSpec, ...]:
        """The SAs in force, oldest first."""
        if self._found.installed is None:
            self._found.installed = tuple(sa.spec for sa in self._sas.values())
        return self._found.installed

    @property
    def policies(self) -> tuple[PolicySpec, ...]:
        """In the order in which they are tried."""
        return tuple(sorted(self._policies.values(), key=lambda policy: policy.order))

    def send(self, interface: str, packet: Packet) -> Emission | None:
        """A packet that was routed into a tunnel interface: protected, or dropped."""
        policy = self._policy(interface, packet)
        if policy is None:
            self._drops["no-policy"] += 1
            return None
        sa = self._outbound(policy.child, packet)
        if sa is None:
            self._drops["no-sa"] += 1
            self._acquire(policy.child, packet)
            return None
        if self._exhausted(sa):
            return None
        sa.sequence += 1
        self._count(sa, packet)
        icv = sa.icv(sa.sequence, packet)
        spec = sa.spec
        esp = EspPacket(spec.spi, sa.sequence % _WORD, packet, icv, spec.protocol)
        return Emission(*sa.ends, spec.udp, esp)

    def receive(self, esp: EspPacket, remote: Endpoint) -> Arrival | None:
        """A protected packet off the wire: replay is looked at first and recorded last (RFC 4303, 3.4.3)."""
        sa = self._inbound(esp)
        if sa is None:
            self._drops["unknown-spi"] += 1
            return None
        sequence = sa.window.full_sequence(esp.sequence) if sa.spec.esn else esp.sequence
        if not sa.window.admits(sequence):
            sa.replayed += 1
            self._drops["replayed"] += 1
            return None
        if not hmac.compare_digest(sa.icv(sequence, esp.inner), esp.icv):
            sa.integrity_failed += 1
            self._drops["integrity-failed"] += 1
            return None
        newest = sequence > sa.window.top
        sa.window.record(sequence)
        self._note_life(sa, remote, newest=newest)
        return self._admitted(sa, esp.inner)

    def _install(self, spec: SaSpec) -> None:
        held = self._sas.get(spec.id)
        if held is not None:
            if held.spec != spec:
                raise DataPlaneRefusal(f"SA {spec.id} is in use")
            return
        if spec.spi < LOWEST_SPI:
            raise DataPlaneRefusal(f"SPI {spec.spi:#x} is reserved")
        if spec.direction is Direction.INBOUND and self._inbound_spi_taken(spec):
            raise DataPlaneRefusal(f"inbound SPI {spec.spi:#010x} is in use")
        self._sas[spec.id] = _Sa(spec)

    def _inbound_spi_taken(self, spec: SaSpec) -> bool:
        return any(
            sa.direction is Direction.INBOUND and sa.spi == spec.spi and sa.protocol == spec.protocol
            for sa in self._sas
        )

    def _update(self, sa: SaId, local: Endpoint, remote: Endpoint, *, udp: bool) -> None:
        held = self._sas.get(sa)
        if held is None:
            return
        held.take(replace(held.spec, local=local, remote=remote, udp=udp))
        if held.spec.id != sa:
            # The identity holds the peer's address: the SA moves in the table, its place in the order with it.
            self._sas = {row.spec.id: row for row in self._sas.values()}

    def _policy(self, interface: str, packet: Packet) -> PolicySpec | None:
        found, key = self._found.policies, (interface, packet.header)
        if key not in found:
            found[key] = next((p for p in self.policies if p.interface == interface and _protects(p, packet)), None)
        return found[key]

    def _outbound(self, child: str, packet: Packet) -> _Sa | None:
        found, key = self._found.outbound, (child, packet.header)
        if key not in found:
            candidates = (sa for sa in reversed(self._sas.values()) if sa.spec.child == child)
            found[key] = next(
                (sa for sa in candidates if sa.spec.direction is Direction.OUTBOUND and _leaves_by(sa.spec, packet)),
                None,
            )
        return found[key]

    def _inbound(self, esp: EspPacket) -> _Sa | None:
        found, key = self._found.inbound, (esp.spi, esp.protocol)
        if key not in found:
            candidates = (sa for sa in self._sas.values() if (sa.spec.spi, sa.spec.protocol) == key)
            found[key] = next((sa for sa in candidates if sa.spec.direction is Direction.INBOUND), None)
        return found[key]

    def _acquire(self, child: str, packet: Packet) -> None:
        now, before = self._clock(), self._acquired_at.get(child)
        if before is not None and now - before < ACQUIRE_INTERVAL:
            return
        self._acquired_at[child] = now
        ends = (packet.source, packet.destination, packet.protocol, packet.source_port, packet.destination_port)
        self._notices.append(Acquire(child, *ends))

    def _exhausted(self, sa: _Sa) -> bool:
        if sa.hard_said:
            code = "expired"
        elif not sa.spec.esn and sa.sequence + 1 >= self._sequence_space:
            # RFC 4303, 3.3.3: the counter must not cycle.
            code = "sequence-exhausted"
        else:
            return False
        sa.dropped += 1
        self._drops[code] += 1
        return True

    def _note_life(self, sa: _Sa, remote: Endpoint, *, newest: bool) -> None:
        sa.heard = True
        if not sa.used:
            sa.used = True
            self._notices.append(FirstInbound(sa.spec.id))
        expected = sa.spec.remote
        moved = remote != expected if sa.spec.udp else remote.address != expected.address
        if newest and moved:
            self._notices.append(PeerMoved(sa.spec.id, remote))

    def _admitted(self, sa: _Sa, packet: Packet) -> Arrival | None:
        # RFC 4301, 5.2, step 4: what came out must be what the SA was agreed for.
        if not sa.serves(packet):
            code = "selector-mismatch"
        elif sa.hard_said:
            code = "expired"
        else:
            self._count(sa, packet)
            return Arrival(sa.spec.interface, sa.spec.child, packet)
        sa.dropped += 1
        self._drops[code] += 1
        return None

    def _count(self, sa: _Sa, packet: Packet) -> None:
        sa.packets += 1
        sa.octets += packet.size
        limits = sa.spec.limits
        if not sa.soft_said and _reached(sa, limits.soft_octets, limits.soft_packets):
            sa.soft_said = True
            self._notices.append(SoftExpired(sa.spec.id))
        if not sa.hard_said and _reached(sa, limits.hard_octets, limits.hard_packets):
            sa.hard_said = True
            self._notices.append(HardExpired(sa.spec.id))


class ReplayWindow:
    """RFC 4303, 3.4.3 and appendix A: which sequence numbers were seen, up to `size` below the highest."""

    __slots__ = ("_seen", "size", "top")

    def __init__(self, size: int) -> None:
        self.size = size
        self.top = 0
        self._seen = 0
        """Bit n: `top - n` was seen."""

    def admits(self, sequence: int) -> bool:
        if self.size == 0:
            return True
        if sequence == 0:
            return False
        behind = self.top - sequence
        return behind < 0 or (behind < self.size and not self._seen >> behind & 1)

    def record(self, sequence: int) -> None:
        """Marks an authenticated sequence number."""
        ahead = sequence - self.top
        if ahead > 0:
            self._seen = ((self._seen << min(ahead, self.size)) | 1) & ((1 << self.size) - 1)
            self.top = sequence
        elif -ahead < self.size:
            self._seen |= 1 << -ahead

    def full_sequence(self, low: int) -> int:
        """The extended sequence number behind 32 bits (RFC 4303, appendix A2.2)."""
        high, top_low = divmod(self.top, _WORD)
        edge = top_low - max(self.size, 1) + 1
        if edge >= 0:
            high += low < edge
        elif low >= edge % _WORD and high > 0:
            high -= 1
        return high * _WORD + low


@dataclass(slots=True)
class _Found:
    """What the tables answered since they last changed: flows are few, packets are many."""

    installed: tuple[SaSpec, ...] | None = None
    policies: dict[tuple[str, bytes], PolicySpec | None] = field(default_factory=dict)
    outbound: dict[tuple[str, bytes], _Sa | None] = field(default_factory=dict)
    inbound: dict[tuple[int, Protocol], _Sa | None] = field(default_factory=dict)


class _Sa:
    """An SA and what it has seen."""

    def __init__(self, spec: SaSpec) -> None:
        self.take(spec)
        self.window = ReplayWindow(spec.replay_window)
        self.sequence = 0
        self.packets = self.octets = self.replayed = self.integrity_failed = self.dropped = 0
        self.heard = self.used = self.soft_said = self.hard_said = False
        self._key = _agreement(spec)
        self._served: dict[bytes, bool] = {}

    def take(self, spec: SaSpec) -> None:
        """Its place may change while it lives, its keys and selectors never do."""
        self.spec = spec
        self.ends = (spec.local, spec.remote) if spec.udp else (spec.local.with_port(0), spec.remote.with_port(0))

    def serves(self, packet: Packet) -> bool:
        """Whether it was agreed for what came out of it."""
        if packet.header not in self._served:
            self._served[packet.header] = _arrives_by(self.spec, packet)
        return self._served[packet.header]

    @property
    def counters(self) -> SaCounters:
        top = self.sequence if self.spec.direction is Direction.OUTBOUND else self.window.top
        return SaCounters(self.packets, self.octets, self.replayed, self.integrity_failed, self.dropped, top)

    def icv(self, sequence: int, packet: Packet) -> bytes:
        content = b"%d|%d|%b%b" % (self.spec.spi, sequence, packet.header, packet.payload)
        return hashlib.blake2b(content, key=self._key, digest_size=16).digest()


def _agreement(spec: SaSpec) -> bytes:
    """A key that is equal at both ends only if keys, algorithms, ESN, protocol and mode are."""
    algorithms = (spec.encryption and spec.encryption.name, spec.integrity and spec.integrity.name)
    text = f"{algorithms}|{spec.esn}|{int(spec.protocol)}|{spec.mode}|{len(spec.encryption_key)}|".encode()
    keys = spec.encryption_key.reveal() + spec.integrity_key.reveal()
    return hashlib.blake2b(text + keys, digest_size=32).digest()


def _reached(sa: _Sa, octets: int | None, packets: int | None) -> bool:
    return (octets is not None and sa.octets >= octets) or (packets is not None and sa.packets >= packets)


def _protects(policy: PolicySpec, packet: Packet) -> bool:
    return _match(policy.local_selectors, policy.remote_selectors, _source(packet), _destination(packet))


def _leaves_by(spec: SaSpec, packet: Packet) -> bool:
    return _match(spec.local_selectors, spec.remote_selectors, _source(packet), _destination(packet))


def _arrives_by(spec: SaSpec, packet: Packet) -> bool:
    return _match(spec.local_selectors, spec.remote_selectors, _destination(packet), _source(packet))


_End = tuple[Address, int, int]


def _source(packet: Packet) -> _End:
    return packet.source, packet.protocol, packet.source_port


def _destination(packet: Packet) -> _End:
    return packet.destination, packet.protocol, packet.destination_port


def _match(local: tuple[TrafficSelector, ...], remote: tuple[TrafficSelector, ...], here: _End, there: _End) -> bool:
    return any(s.admits(*here) for s in local) and any(s.admits(*there) for s in remote)
