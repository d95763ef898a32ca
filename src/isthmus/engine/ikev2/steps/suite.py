"""Agree on the suite of the IKE SA, and exchange keys and nonces. RFC 7296, 1.2 and 2.7."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from isthmus.crypto import kex
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.refusal import Refusal, malformed
from isthmus.events.ike import FailureReason
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.model.plan import PeerPlan
from isthmus.model.proposal import Proposal, Suite
from isthmus.negotiate import select
from isthmus.negotiate.reports import Chosen, Mismatch
from isthmus.wire.ikev2.payloads import KeyExchange, Nonce, SecurityAssociation
from isthmus.wire.registry import KeMethod, NotifyType

NONCE_SIZE = 32
"""RFC 7296, 2.10: at least half the key size of the PRF, and at least 16."""
_SMALLEST_NONCE, _LARGEST_NONCE = 16, 256


class AgreeOnSuite(Step[Handshake]):
    def write(self, leg: int, draft: Draft) -> None:
        if leg == 0:
            self._offer(draft)
        else:
            self._answer(draft)

    def read(self, leg: int, message: Inbound) -> None:
        if leg == 0:
            self._choose(message)
        else:
            self._confirm(message)

    def _offer(self, draft: Draft) -> None:
        handshake, entropy = self.context, self.context.sa.ledger.entropy
        method = handshake.method or require_method(handshake.offered)
        handshake.share = handshake.share or kex.offer(method, entropy.octets)
        handshake.initiator_nonce = handshake.initiator_nonce or entropy.octets(NONCE_SIZE)
        draft.add(
            SecurityAssociation(numbered(handshake.offered)),
            KeyExchange(KeMethod(method.ikev2), handshake.share.public),
            Nonce(handshake.initiator_nonce),
        )

    def _choose(self, message: Inbound) -> None:
        handshake, sa = self.context, self.context.sa
        handshake.initiator_nonce = fresh_nonce(message)
        chosen, handshake.candidates = choose_for(message.need(SecurityAssociation).proposals, handshake.candidates)
        sa.suite = chosen.suite
        self._chosen = chosen.proposal
        sa.ledger.key_exchanges_answered += 1
        self._reply, handshake.shared = answer_key_exchange(message, sa.suite, sa.ledger.entropy.octets)
        handshake.responder_nonce = sa.ledger.entropy.octets(NONCE_SIZE)

    def _answer(self, draft: Draft) -> None:
        suite = self.context.sa.suite
        if suite is None or suite.ke is None:
            raise malformed("no suite")
        draft.add(
            SecurityAssociation((self._chosen.numbered(self._chosen.number, b""),)),
            KeyExchange(KeMethod(suite.ke.ikev2), self._reply),
            Nonce(self.context.responder_nonce),
        )

    def _confirm(self, message: Inbound) -> None:
        handshake, sa = self.context, self.context.sa
        handshake.responder_nonce = fresh_nonce(message)
        if handshake.responder_nonce == handshake.initiator_nonce:
            raise malformed("the peer repeats our nonce")
        sa.suite = confirm_answer(message, handshake.offered)
        handshake.shared = agree(message, sa.suite, handshake.share)


def choose_for(offered: Sequence[Proposal], candidates: Sequence[PeerPlan]) -> tuple[Chosen, tuple[PeerPlan, ...]]:
    """The first candidate's choice that works, and those candidates whose profile makes the same one."""
    mismatch: Mismatch | None = None
    # A thousand dynamic peers share a profile or two.
    choices = {id(c.profile): select.choose(offered, c.profile.proposals) for c in _one_of_each_profile(candidates)}
    for found in choices.values():
        if isinstance(found, Chosen):
            fitting = {profile for profile, choice in choices.items() if choice == found}
            return found, tuple(c for c in candidates if id(c.profile) in fitting)
        mismatch = mismatch or found
    raise no_proposal(mismatch or Mismatch(tuple(offered), (), ()))


def _one_of_each_profile(candidates: Sequence[PeerPlan]) -> Collection[PeerPlan]:
    return {id(c.profile): c for c in reversed(candidates)}.values() if len(candidates) > 1 else candidates


def no_proposal(mismatch: Mismatch) -> Refusal:
    """NO_PROPOSAL_CHOSEN, with both lists for the journal."""
    return Refusal(
        NotifyType.NO_PROPOSAL_CHOSEN,
        they_said=tuple(str(p) for p in mismatch.offered),
        we_said=tuple(str(p) for p in mismatch.accepted),
        detail="; ".join(str(obstacle) for obstacle in mismatch.nearest),
    )


def numbered(proposals: Sequence[Proposal], spi: bytes = b"") -> tuple[Proposal, ...]:
    """RFC 7296, 3.3.1: proposals count from one."""
    return tuple(p.numbered(n, spi) for n, p in enumerate(proposals, 1))


def require_method(proposals: Sequence[Proposal]) -> KeyExchangeMethod:
    method = select.first_method(proposals)
    if method is None:
        raise Refusal(NotifyType.NO_PROPOSAL_CHOSEN, detail="no key exchange method is configured")
    return method


def fresh_nonce(message: Inbound) -> bytes:
    """The peer's nonce, of a size that the RFC allows."""
    nonce = message.need(Nonce).data
    if not _SMALLEST_NONCE <= len(nonce) <= _LARGEST_NONCE:
        raise malformed(f"a nonce of {len(nonce)} octets")
    return nonce


def confirm_answer(message: Inbound, offered: Sequence[Proposal]) -> Suite:
    """The suite of the responder's answer; it must be one of ours."""
    proposals = message.need(SecurityAssociation).proposals
    if len(proposals) != 1:
        raise malformed(f"{len(proposals)} proposals in an answer")
    suite = select.confirms(proposals[0], numbered(offered))
    if suite is None:
        raise Refusal(
            NotifyType.NO_PROPOSAL_CHOSEN,
            they_said=(str(proposals[0]),),
            we_said=tuple(str(p) for p in offered),
            detail="the peer chose what we had not offered",
        )
    return suite


def answer_key_exchange(message: Inbound, suite: Suite, entropy: kex.Entropy) -> tuple[bytes, bytes]:
    """As replier: our public value and the shared secret. INVALID_KE_PAYLOAD if the peer guessed another method."""
    ke = message.need(KeyExchange)
    if suite.ke is None or ke.method != suite.ke.ikev2:
        wanted = suite.ke.ikev2 if suite.ke else 0
        raise Refusal(
            NotifyType.INVALID_KE_PAYLOAD,
            wanted.to_bytes(2, "big"),
            they_said=(f"group{int(ke.method)}",),
            we_said=(suite.ke.name if suite.ke else "none",),
        )
    try:
        return kex.answer(suite.ke, entropy, ke.data)
    except kex.InvalidPublicValue as bad:
        raise bad_public_value(bad) from None


def agree(message: Inbound, suite: Suite, share: kex.KeyShare | None) -> bytes:
    """As requester: the shared secret."""
    ke = message.need(KeyExchange)
    if suite.ke is None or share is None or ke.method != suite.ke.ikev2:
        raise malformed(f"a public value for method {int(ke.method)}, which was not agreed")
    try:
        return share.agree(ke.data)
    except kex.InvalidPublicValue as bad:
        raise bad_public_value(bad) from None


def bad_public_value(bad: kex.InvalidPublicValue) -> Refusal:
    """RFC 6989, 2.5: a public value that would give the secret away."""
    return Refusal(NotifyType.INVALID_SYNTAX, reason=FailureReason.INVALID_KEY_EXCHANGE, detail=bad.why)
