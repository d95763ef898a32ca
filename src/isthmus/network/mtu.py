"""The largest packet that a tunnel interface may take, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from isthmus.model import algorithms
from isthmus.model.algorithms import Encryption, Integrity
from isthmus.model.plan import Encapsulation, ManualPlan, Mode, PeerPlan, TunnelPlan
from isthmus.model.proposal import Proposal, Protocol, TransformType

IP_HEADER = {4: 20, 6: 40}
UDP_HEADER = 8
ESP_HEADER = 8
"""RFC 4303, 2: SPI and sequence number."""
AH_HEADER = 12
"""RFC 4302, 2: all but the ICV."""
ESP_TRAILER = 2
"""RFC 4303, 2.4 to 2.6: pad length and next header, counted into the padded plaintext."""
ESP_ALIGNMENT = 4
"""RFC 4303, 2.4: the ciphertext ends on a 4-octet boundary, whatever the cipher's block."""
MINIMUM_MTU = 576
"""No link is so narrow in practice; below it, a wrong figure is likelier than a true one."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one way of protecting a packet puts around it."""

    version: int
    """IP version outside."""
    udp: bool
    encryption: Encryption | None
    integrity: Integrity | None
    protocol: Protocol = Protocol.ESP
    mode: Mode = Mode.TUNNEL

    @property
    def fixed(self) -> int:
        """Octets that do not depend on the packet's length."""
        outer = IP_HEADER[self.version] + UDP_HEADER * self.udp
        if self.protocol == Protocol.AH:
            return outer + self._ah
        iv = self.encryption.iv if self.encryption else 0
        return outer + ESP_HEADER + iv + self.icv

    @property
    def _ah(self) -> int:
        # RFC 4302, 2.6: a multiple of 4 octets in IPv4, of 8 in IPv6.
        unit = 4 if self.version == 4 else 8
        return -(-(AH_HEADER + self.icv) // unit) * unit

    @property
    def icv(self) -> int:
        own = self.encryption.icv if self.encryption else 0
        return own + (self.integrity.icv if self.integrity else 0)

    @property
    def alignment(self) -> int:
        return max(self.encryption.block if self.encryption else 1, ESP_ALIGNMENT)

    def room(self, outer: int) -> int:
        """The largest inner packet that fits into an outer one of this size."""
        # In transport mode the packet's own header stands outside.
        own = IP_HEADER[self.version] if self.mode is Mode.TRANSPORT else 0
        if self.protocol == Protocol.AH:
            return outer - self.fixed + own
        return (outer - self.fixed) // self.alignment * self.alignment - ESP_TRAILER + own

    def __str__(self) -> str:
        iv = self.encryption.iv if self.encryption else 0
        parts = [f"{IP_HEADER[self.version]} IPv{self.version}"] if self.mode is Mode.TUNNEL else []
        if self.protocol == Protocol.AH:
            return f"{', '.join([*parts, f'{self._ah} AH'])} ({self.integrity.name if self.integrity else 'none'})"
        if self.udp:
            parts.append(f"{UDP_HEADER} UDP")
        parts += [f"{ESP_HEADER} ESP", f"{iv} IV", f"{self.icv} ICV", f"{ESP_TRAILER} trailer"]
        names = "/".join(row.name for row in (self.encryption, self.integrity) if row is not None)
        return f"{', '.join(parts)}, padded to {self.alignment} ({names or 'no algorithm'})"


@dataclass(frozen=True, slots=True)
class TunnelMtu:
    mtu: int
    because: str


def tunnel_mtu(outer: int, path: str, envelopes: Iterable[Envelope]) -> TunnelMtu:
    """The MTU that fits whichever of the envelopes is used. `path` names where `outer` comes from."""
    worst = min(envelopes, key=lambda envelope: envelope.room(outer), default=None)
    if worst is None:
        return TunnelMtu(outer, f"{outer} of {path}; nothing is put around its packets yet")
    room = worst.room(outer)
    if room < MINIMUM_MTU:
        return TunnelMtu(MINIMUM_MTU, f"{outer} of {path} would leave {room}, less than the minimum {MINIMUM_MTU}")
    return TunnelMtu(room, f"{outer} of {path} less {worst}")


def envelopes(peer: PeerPlan, tunnel: TunnelPlan) -> tuple[Envelope, ...]:
    """Every way in which a tunnel's packets may be protected, before the negotiation has chosen one."""
    # Only `esp` rules UDP out: NAT, which makes `auto` use it, shows no sooner than the first exchange.
    udp = peer.encapsulation is not Encapsulation.ESP and tunnel.travels_in_udp
    return tuple(
        Envelope(peer.local.version, udp, encryption, integrity, proposal.protocol, tunnel.mode)
        for proposal in tunnel.profile.proposals
        for encryption, integrity in _ciphers(proposal)
    )


def manual_envelope(tunnel: ManualPlan) -> Envelope:
    """What keys by hand put around a packet: known from the beginning."""
    suite = tunnel.suite
    return Envelope(tunnel.local.version, False, suite.encryption, suite.integrity, suite.protocol, tunnel.mode)


def _ciphers(proposal: Proposal) -> Iterable[tuple[Encryption | None, Integrity | None]]:
    integrity = [algorithms.INTEGRITY_BY_ID.get(t.id) for t in proposal.of(TransformType.INTEG)] or [None]
    if proposal.protocol == Protocol.AH:
        yield from ((None, row) for row in integrity)
    for transform in proposal.of(TransformType.ENCR):
        encryption = algorithms.encryption_by_id(transform.id, transform.key_bits)
        for row in integrity:
            # RFC 7296, 3.3: an AEAD brings its own integrity and none is agreed on beside it.
            yield encryption, None if encryption and encryption.aead else row
