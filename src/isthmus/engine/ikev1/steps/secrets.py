"""Exchange public values and nonces. RFC 2409, 5."""

from __future__ import annotations

from isthmus.crypto import kex
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev1.handshake import Handshake
from isthmus.engine.refusal import Refusal, malformed
from isthmus.events.ike import FailureReason
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.wire.ikev1.payloads import KeyExchange, Nonce
from isthmus.wire.ikev1.registry import PayloadType
from isthmus.wire.registry import NotifyType

NONCE_SIZE = 32
_SMALLEST_NONCE, _LARGEST_NONCE = 8, 256
"""RFC 2409, 5."""


class ExchangeSecrets(Step[Handshake]):
    def write(self, leg: int, draft: Draft) -> None:
        handshake, entropy = self.context, self.context.channel.sa.ledger.entropy
        if not handshake.says(leg, PayloadType.KE):
            return
        if handshake.channel.sa.began_here:
            handshake.share = kex.offer(require_method(handshake.method), entropy.octets)
            handshake.public_i, handshake.nonce_i = handshake.share.public, entropy.octets(NONCE_SIZE)
            draft.add(KeyExchange(handshake.public_i), Nonce(handshake.nonce_i))
        else:
            handshake.nonce_r = entropy.octets(NONCE_SIZE)
            draft.add(KeyExchange(handshake.public_r), Nonce(handshake.nonce_r))
            handshake.derive()

    def read(self, leg: int, message: Inbound) -> None:
        handshake, ledger = self.context, self.context.channel.sa.ledger
        if not handshake.says(leg, PayloadType.KE):
            return
        public, nonce = message.need(KeyExchange).data, fresh_nonce(message)
        try:
            if handshake.share is not None:
                handshake.public_r, handshake.nonce_r = public, nonce
                if public == handshake.public_i or nonce == handshake.nonce_i:
                    raise malformed("the peer repeats our own values")
                handshake.shared = handshake.share.agree(public)
                handshake.derive()
            else:
                handshake.public_i, handshake.nonce_i = public, nonce
                ledger.key_exchanges_answered += 1
                method = require_method(handshake.method)
                handshake.public_r, handshake.shared = kex.answer(method, ledger.entropy.octets, public)
        except kex.InvalidPublicValue as bad:
            raise bad_public_value(bad) from None


def require_method(method: KeyExchangeMethod | None) -> KeyExchangeMethod:
    if method is None:
        raise Refusal(NotifyType.NO_PROPOSAL_CHOSEN, detail="no group is configured that IKEv1 has")
    return method


def fresh_nonce(message: Inbound) -> bytes:
    """The peer's nonce, of a size that the RFC allows."""
    nonce = message.need(Nonce).data
    if not _SMALLEST_NONCE <= len(nonce) <= _LARGEST_NONCE:
        raise malformed(f"a nonce of {len(nonce)} octets")
    return nonce


def bad_public_value(bad: kex.InvalidPublicValue) -> Refusal:
    return Refusal(NotifyType.INVALID_KE_PAYLOAD, reason=FailureReason.INVALID_KEY_EXCHANGE, detail=bad.why)
