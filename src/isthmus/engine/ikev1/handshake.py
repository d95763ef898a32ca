"""What an IKE SA of version 1 knows only while it is being set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from isthmus.crypto.kex import KeyShare
from isthmus.engine.ikev1.keys import PhaseOneKeys, phase_one_iv, phase_one_keys, skeyid_by_secret
from isthmus.model.address import Datagram
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.model.plan import Ikev1Plan, PeerPlan
from isthmus.model.quantities import Seconds
from isthmus.model.secret import Secret
from isthmus.wire.ikev1.message import Chain
from isthmus.wire.ikev1.offers import Offer
from isthmus.wire.ikev1.registry import PayloadType
from isthmus.wire.registry import ExchangeTypeV1

if TYPE_CHECKING:
    from isthmus.engine.exchange import Exchange
    from isthmus.engine.ikev1.channel import Channel

NO_CHAIN = Chain((), b"", ())


@dataclass(slots=True)
class Handshake:
    """Shared by the steps of Main Mode and of Aggressive Mode; dropped once the IKE SA stands."""

    channel: Channel
    exchange: Exchange[Handshake]
    candidates: tuple[PeerPlan, ...]
    """The peers that it may be: of an initiator one, of a responder fewer with every message."""
    heard: Chain = NO_CHAIN
    """The message being read, with the octets as received."""
    arrived: Datagram | None = None
    """What brought it."""
    decoy: Secret | None = None
    """Stands for the key of an identity that we do not know: the answer is as good as any, and leads nowhere."""
    offered: tuple[Offer, ...] = ()
    chosen: Offer | None = None
    sa_body: bytes = b""
    """SAi_b: the initiator's SA payload, as it crossed the network."""
    method: KeyExchangeMethod | None = None
    share: KeyShare | None = None
    reply: bytes = b""
    shared: bytes = b""
    public_i: bytes = b""
    public_r: bytes = b""
    nonce_i: bytes = b""
    nonce_r: bytes = b""
    id_i: bytes = b""
    id_r: bytes = b""
    """ID_b of each end, as it crossed the network."""
    lifetime: Seconds = Seconds(0.0)
    vendors: frozenset[bytes] = frozenset()
    """What the peer announced."""
    nat_by_draft: bool = False
    peer_knows_nat: bool = False
    peer_fragments: bool = False
    peer_knows_dpd: bool = False
    settled: bool = False
    """Whether the path is decided on."""

    @property
    def peer(self) -> PeerPlan:
        """Who it is, or while that is open the likeliest."""
        return self.channel.sa.peer or self.candidates[0]

    @property
    def plan(self) -> Ikev1Plan:
        plan = self.peer.ikev1
        if plan is None:
            raise ValueError(f"IKEv1 is not configured for {self.peer.name}")
        return plan

    @property
    def aggressive(self) -> bool:
        return bool(self.exchange.exchange_type == ExchangeTypeV1.AGGRESSIVE)

    def says(self, leg: int, kind: PayloadType) -> bool:
        """Whether a payload belongs into a leg: the table of the exchange knows."""
        return kind in self.exchange.legs[leg].needs

    def derive(self) -> None:
        """SKEYID and what grows from it, for each key that the peer may have; from now on messages can be sealed."""
        channel, sa = self.channel, self.channel.sa
        secrets = [self.decoy] if self.decoy else [peer.authentication.secret for peer in self.candidates]
        guesses: list[PhaseOneKeys] = []
        for secret in secrets:
            skeyid = skeyid_by_secret(channel.prf, secret, self.nonce_i + self.nonce_r)
            cookies = sa.initiator_spi + sa.responder_spi
            keys = phase_one_keys(channel.prf, channel.encryption, skeyid, self.shared, cookies)
            if not any(keys.skeyid == other.skeyid for other in guesses):
                guesses.append(keys)
        channel.protect(*guesses)
        channel.last_block = phase_one_iv(channel.prf, channel.encryption.block, self.public_i + self.public_r)
        sa.nonces = self.nonce_i, self.nonce_r

    def with_right_key(self) -> tuple[PeerPlan, ...]:
        """The candidates whose key opened the peer's message."""
        nonces, right = self.nonce_i + self.nonce_r, self.channel.keys.skeyid
        return tuple(
            peer
            for peer in self.candidates
            if Secret(skeyid_by_secret(self.channel.prf, peer.authentication.secret, nonces)) == right
        )
