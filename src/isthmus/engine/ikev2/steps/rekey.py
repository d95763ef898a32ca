"""Name the SA that is to be replaced, and agree on a new IKE SA. RFC 7296, 1.3.2 and 1.3.3."""

from __future__ import annotations

from isthmus.crypto import kex
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.child_setup import ChildSetup
from isthmus.engine.ikev2.ike_successor import IkeSuccessor
from isthmus.engine.ikev2.steps.suite import (
    NONCE_SIZE,
    agree,
    answer_key_exchange,
    choose_for,
    confirm_answer,
    fresh_nonce,
    numbered,
    require_method,
)
from isthmus.engine.refusal import malformed
from isthmus.model.proposal import Proposal
from isthmus.model.quantities import NO_SPI, IkeSpi
from isthmus.wire.ikev2.payloads import KeyExchange, Nonce, Notify, SecurityAssociation
from isthmus.wire.registry import KeMethod, NotifyType

_SPI_SIZE = 8


class NameReplaced(Step[ChildSetup]):
    """N(REKEY_SA) carries the SPI that its sender receives on. The replier has looked it up before this exchange."""

    def write(self, leg: int, draft: Draft) -> None:
        replaced = self.context.replaces
        if leg == 0 and replaced is not None:
            spi = replaced.terms.spi_in.to_bytes(4, "big")
            draft.add(Notify(NotifyType.REKEY_SA, b"", replaced.terms.suite.protocol, spi))


class AgreeOnSuccessor(Step[IkeSuccessor]):
    """A new IKE SA under the protection of the old one: SA with the new SPIs, nonces, key exchange."""

    def write(self, leg: int, draft: Draft) -> None:
        new = self.context
        if leg == 0:
            entropy = new.old.ledger.entropy
            method = new.method or require_method(new.offered)
            new.our_spi = new.old.ledger.fresh_ike_spi() if new.our_spi == NO_SPI else new.our_spi
            new.initiator_nonce = new.initiator_nonce or entropy.octets(NONCE_SIZE)
            new.share = new.share or kex.offer(method, entropy.octets)
            draft.add(
                SecurityAssociation(numbered(new.offered, new.our_spi)),
                Nonce(new.initiator_nonce),
                KeyExchange(KeMethod(method.ikev2), new.share.public),
            )
        elif new.suite is not None and new.suite.ke is not None:
            draft.add(
                SecurityAssociation((self._chosen.numbered(self._chosen.number, new.our_spi),)),
                Nonce(new.responder_nonce),
                KeyExchange(KeMethod(new.suite.ke.ikev2), self._reply),
            )

    def read(self, leg: int, message: Inbound) -> None:
        new, ledger = self.context, self.context.old.ledger
        if leg == 0:
            new.initiator_nonce = fresh_nonce(message)
            candidates = (new.old.peer,) if new.old.peer is not None else ()
            chosen, _ = choose_for(message.need(SecurityAssociation).proposals, candidates)
            new.suite, self._chosen = chosen.suite, chosen.proposal
            new.their_spi = _successor_spi(chosen.proposal)
            self._reply, new.shared = answer_key_exchange(message, new.suite, ledger.entropy.octets)
            new.responder_nonce = ledger.entropy.octets(NONCE_SIZE)
            new.our_spi = ledger.fresh_ike_spi()
        else:
            new.suite = confirm_answer(message, new.offered)
            new.their_spi = _successor_spi(message.need(SecurityAssociation).proposals[0])
            new.responder_nonce = fresh_nonce(message)
            new.shared = agree(message, new.suite, new.share)


def _successor_spi(proposal: Proposal) -> IkeSpi:
    if len(proposal.spi) != _SPI_SIZE or proposal.spi == NO_SPI:
        raise malformed(f"an IKE SPI of {len(proposal.spi)} octets")
    return IkeSpi(proposal.spi)
