"""Additional key exchanges: announced, linked, and each carried out. RFC 9242, 3.1; RFC 9370, 2.2."""

from __future__ import annotations

from typing import Protocol, TypeVar

from isthmus.crypto import kex
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.key_rounds import KeyRounds
from isthmus.engine.ikev2.steps.suite import bad_public_value
from isthmus.engine.refusal import Refusal, malformed
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.model.proposal import Suite
from isthmus.negotiate import select
from isthmus.wire.ikev2.payloads import KeyExchange
from isthmus.wire.registry import KeMethod, NotifyType


class AnnounceRounds(Step[Handshake]):
    """Stands after the suite was agreed: who wants additional key exchanges must say that it takes IKE_INTERMEDIATE."""

    def write(self, leg: int, draft: Draft) -> None:
        handshake, suite = self.context, self.context.sa.suite
        if select.offers_additional(handshake.offered) if leg == 0 else suite is not None and suite.additional:
            draft.notify(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED)

    def read(self, leg: int, message: Inbound) -> None:
        handshake, suite = self.context, self.context.sa.suite
        if suite is None or not suite.additional:
            return
        if message.notify(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED) is None:
            raise Refusal(
                NotifyType.NO_PROPOSAL_CHOSEN,
                they_said=(str(suite),),
                detail="additional key exchanges without INTERMEDIATE_EXCHANGE_SUPPORTED",
            )
        handshake.rounds = KeyRounds(suite, handshake.sa.ledger.surroundings)


class Renewal(Protocol):
    """Whatever CREATE_CHILD_SA makes."""

    suite: Suite | None
    rounds: KeyRounds | None

    @property
    def sa(self) -> IkeSa: ...


R = TypeVar("R", bound=Renewal)


class LinkRounds(Step[R]):
    """The replier hands out a link; without one there is no IKE_FOLLOWUP_KE."""

    def write(self, leg: int, draft: Draft) -> None:
        new = self.context
        if leg == 1 and new.suite is not None and new.suite.additional:
            new.rounds = KeyRounds(new.suite, new.sa.ledger.surroundings)
            draft.notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, new.rounds.renew_link())

    def read(self, leg: int, message: Inbound) -> None:
        new = self.context
        if leg == 1 and new.suite is not None and new.suite.additional:
            new.rounds = KeyRounds(new.suite, new.sa.ledger.surroundings, _link(message))


class ExchangeRound(Step[KeyRounds]):
    """One more key exchange."""

    def write(self, leg: int, draft: Draft) -> None:
        rounds = self.context
        method = KeMethod(self._method.ikev2)
        if leg == 0:
            draft.add(KeyExchange(method, rounds.offer()))
            if rounds.link is not None:
                draft.notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, rounds.link)
        else:
            draft.add(KeyExchange(method, rounds.reply))
            if rounds.link is not None and not rounds.last:
                draft.notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, rounds.renew_link())
        rounds.written = tuple(draft.payloads)

    def read(self, leg: int, message: Inbound) -> None:
        rounds, method = self.context, self._method
        ke = message.need(KeyExchange)
        if ke.method != method.ikev2:
            raise malformed(f"a public value for method {int(ke.method)} where {method.name} is due")
        try:
            if leg == 0:
                shared = rounds.answer(ke.data)
            elif rounds.share is not None:
                shared = rounds.share.agree(ke.data)
            else:
                raise malformed("an answer to no public value of ours")
        except kex.InvalidPublicValue as bad:
            raise bad_public_value(bad) from None
        if leg == 1 and rounds.link is not None and not rounds.last:
            rounds.link = _link(message)
        rounds.agreed(shared)

    @property
    def _method(self) -> KeyExchangeMethod:
        method = self.context.method
        if method is None:
            raise malformed("no key exchange is left to do")
        return method


def _link(message: Inbound) -> bytes:
    notify = message.notify(NotifyType.ADDITIONAL_KEY_EXCHANGE)
    if notify is None:
        raise malformed("further key exchanges were agreed, and ADDITIONAL_KEY_EXCHANGE is missing")
    return notify.data
