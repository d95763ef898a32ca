"""What a Child SA knows only while Quick Mode agrees on it. RFC 2409, 5.5."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.crypto.kex import KeyShare
from isthmus.engine.child_sa import ChildSa, ChildTerms
from isthmus.engine.ikev1 import hashes
from isthmus.engine.ikev1.channel import Channel
from isthmus.engine.ikev1.keys import child_keys
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.model.plan import ChildPlan, Lifetime, Mode, TunnelPlan
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.quantities import InboundSpi, OutboundSpi, Seconds
from isthmus.model.selectors import TrafficSelector
from isthmus.wire.ikev1.offers import Duration, Offer
from isthmus.wire.ikev1.registry import EncapsulationMode

_NO_SPI_IN, _NO_SPI_OUT = InboundSpi(0), OutboundSpi(0)
_KILOBYTE = 1024


@dataclass(slots=True)
class QuickSetup:
    """Shared by the steps of one Quick Mode. Its hashes bind the messages to each other."""

    channel: Channel
    message_id: int
    began_here: bool
    nat_by_draft: bool = False
    tunnel: TunnelPlan | None = None
    child: ChildPlan | None = None
    """As responder both are found by the identities that the peer claims."""
    spi_in: InboundSpi = _NO_SPI_IN
    spi_out: OutboundSpi = _NO_SPI_OUT
    offered: tuple[Offer, ...] = ()
    chosen: Offer | None = None
    method: KeyExchangeMethod | None = None
    share: KeyShare | None = None
    reply: bytes = b""
    shared: bytes = b""
    nonce_i: bytes = b""
    nonce_r: bytes = b""
    suite: Suite | None = None
    lifetime: Lifetime | None = None
    local_ts: tuple[TrafficSelector, ...] = ()
    remote_ts: tuple[TrafficSelector, ...] = ()

    def hash(self, leg: int, rest: bytes) -> bytes:
        """What authenticates a leg; `rest` is everything behind its HASH payload."""
        row, a = self.channel.prf, self.channel.keys.a
        match leg:
            case 0:
                return hashes.request_hash(row, a, self.message_id, rest)
            case 1:
                return hashes.answer_hash(row, a, self.message_id, self.nonce_i, rest)
            case _:
                return hashes.confirmation_hash(row, a, self.message_id, self.nonce_i + self.nonce_r)

    @property
    def in_udp(self) -> bool:
        return self.channel.sa.udp and (self.tunnel is None or self.tunnel.travels_in_udp)

    @property
    def protocol(self) -> Protocol:
        """What is asked for, or was agreed on."""
        return self.suite.protocol if self.suite else self.tunnel.profile.protocol if self.tunnel else Protocol.ESP

    @property
    def mode(self) -> EncapsulationMode:
        """How this tunnel's packets travel."""
        if self.tunnel is not None and self.tunnel.mode is Mode.TRANSPORT:
            return EncapsulationMode.TRANSPORT
        if not self.in_udp:
            return EncapsulationMode.TUNNEL
        return EncapsulationMode.UDP_TUNNEL_DRAFT if self.nat_by_draft else EncapsulationMode.UDP_TUNNEL

    def settle_lifetime(self, agreed: Duration) -> None:
        """The shorter one counts, of time and of octets (RFC 2407, 4.5.4)."""
        if self.tunnel is None:
            return
        ours = self.tunnel.profile.lifetime
        octets = [n for n in (ours.octets, agreed.kilobytes and agreed.kilobytes * _KILOBYTE) if n]
        time = min(ours.time, self.lifetime.time if self.lifetime else ours.time)
        self.lifetime = Lifetime(
            Seconds(min(time, agreed.seconds)) if agreed.seconds else time, min(octets) if octets else None
        )

    def make(self) -> ChildSa:
        """Keys for what was agreed, and the Child SA: not yet in the data plane."""
        if self.suite is None or self.tunnel is None or self.child is None:
            raise ValueError("nothing was agreed")
        suite, channel = self.suite, self.channel
        nonces = self.nonce_i + self.nonce_r
        inbound, outbound = (
            child_keys(
                channel.prf,
                channel.keys.d,
                nonces,
                suite.protocol,
                spi.to_bytes(4, "big"),
                suite.encryption,
                suite.integrity,
                self.shared,
            )
            for spi in (self.spi_in, self.spi_out)
        )
        terms = ChildTerms(
            suite=suite,
            spi_in=self.spi_in,
            spi_out=self.spi_out,
            local_ts=self.local_ts,
            remote_ts=self.remote_ts,
            keys_in=inbound,
            keys_out=outbound,
            nonces=(self.nonce_i, self.nonce_r),
            began_here=self.began_here,
            lifetime=self.lifetime,
        )
        return ChildSa(channel.sa, self.tunnel, self.child, terms, confirmed=self.began_here)
