"""Prove identity by HASH_I and HASH_R. RFC 2409, 5."""

from __future__ import annotations

from isthmus.crypto.compare import equal
from isthmus.engine import contact
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev1.handshake import Handshake
from isthmus.engine.ikev1.hashes import identity_hash
from isthmus.engine.refusal import Refusal
from isthmus.wire.ikev1.payloads import Hash, Notify
from isthmus.wire.ikev1.registry import NotifyType as NotifyTypeV1
from isthmus.wire.ikev1.registry import PayloadType
from isthmus.wire.registry import NotifyType


class ProveIdentity(Step[Handshake]):
    def write(self, leg: int, draft: Draft) -> None:
        if self.context.says(leg, PayloadType.HASH):
            draft.add(Hash(self._hash(by_initiator=self.context.channel.sa.began_here)))

    def read(self, leg: int, message: Inbound) -> None:
        handshake, sa = self.context, self.context.channel.sa
        if not handshake.says(leg, PayloadType.HASH):
            return
        proved = equal(message.need(Hash).data, self._hash(by_initiator=not sa.began_here))
        if not proved or handshake.decoy is not None:
            raise Refusal(
                NotifyType.AUTHENTICATION_FAILED,
                they_said=(f"{sa.remote_id}, with another pre-shared key",),
                we_said=(f"the pre-shared key configured for {sa.remote_id}",),
                detail="the pre-shared keys differ",
            )
        sa.peer = handshake.peer

    def _hash(self, *, by_initiator: bool) -> bytes:
        h, sa, channel = self.context, self.context.channel.sa, self.context.channel
        if by_initiator:
            values = h.public_i, h.public_r, sa.initiator_spi, sa.responder_spi, h.sa_body + h.id_i
        else:
            values = h.public_r, h.public_i, sa.responder_spi, sa.initiator_spi, h.sa_body + h.id_r
        return identity_hash(channel.prf, channel.keys.skeyid, *values)


class ClaimContact(Step[Handshake]):
    """INITIAL-CONTACT in the initiator's last message, sealed; it stands after the proof (RFC 2407, 4.6.3.3)."""

    def write(self, leg: int, draft: Draft) -> None:
        handshake, sa = self.context, self.context.channel.sa
        last = sa.began_here and handshake.says(leg, PayloadType.HASH)
        if last and not contact.others(sa):
            draft.add(Notify(NotifyTypeV1.INITIAL_CONTACT, spi=sa.initiator_spi + sa.responder_spi))

    def read(self, leg: int, message: Inbound) -> None:
        sa = self.context.channel.sa
        claimed = any(n.notify == NotifyTypeV1.INITIAL_CONTACT for n in message.all(Notify))
        if claimed and self.context.says(leg, PayloadType.HASH) and not sa.began_here:
            contact.honour_claim(sa)
