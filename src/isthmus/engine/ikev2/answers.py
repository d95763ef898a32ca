"""Who answers which request. RFC 7296, 1.2 to 1.4 and 2.25."""

from __future__ import annotations

from isthmus.engine.deadlines import Deadline
from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.ikev2.children import AnswerCreateChild, find_replaced
from isthmus.engine.ikev2.established import derive_keys, establish, honour_lifetime, settle_path
from isthmus.engine.ikev2.exchanges import IKE_AUTH, IKE_SA_INIT, INFORMATIONAL
from isthmus.engine.ikev2.follow_up import AnswerFollowUp, find_unfinished, replacing
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.intention import Answer
from isthmus.engine.ikev2.intermediate import AnswerIntermediate, refuse_unfinished, require_rounds
from isthmus.engine.ikev2.party import Party
from isthmus.engine.ikev2.replies import Answering
from isthmus.engine.ikev2.roaming import follow
from isthmus.engine.ikev2.set_up import require_handshake
from isthmus.engine.ikev2.steps.inform import Notice
from isthmus.engine.ikev2.successors import AnswerRekeyIke, hand_over
from isthmus.engine.refusal import Refusal, malformed
from isthmus.engine.states import IkeLife
from isthmus.events.ike import FailureReason, NegotiationFailed
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import Instant, Seconds
from isthmus.wire.ikev2.message import Message
from isthmus.wire.ikev2.payloads import SecurityAssociation
from isthmus.wire.registry import ExchangeType, NotifyType

_HALF_OPEN = Seconds(30.0)
"""How long a responder waits for IKE_AUTH: long enough for the initiator's repeated requests."""


def answering(party: Party) -> Answering:
    """Binds the choice of the answer to one IKE SA."""

    def answer(message: Message, inbound: Inbound) -> Answer:
        match message.header.exchange:
            case ExchangeType.IKE_SA_INIT:
                return AnswerInit(party)
            case ExchangeType.IKE_INTERMEDIATE:
                require_rounds(party)
                return AnswerIntermediate(party, inbound)
            case ExchangeType.IKE_FOLLOWUP_KE:
                return AnswerFollowUp(find_unfinished(party, inbound))
            case ExchangeType.IKE_AUTH:
                return AnswerAuth(party)
            case ExchangeType.CREATE_CHILD_SA:
                return _answer_create(party, inbound)
            case ExchangeType.INFORMATIONAL:
                return AnswerInformational(party)
            case other:
                raise malformed(f"exchange type {int(other)}")

    return answer


def _answer_create(party: Party, inbound: Inbound) -> Answer:
    sa = party.sa
    if sa.life is IkeLife.CONNECTING:
        raise malformed("CREATE_CHILD_SA before IKE_AUTH")
    if sa.life is not IkeLife.ESTABLISHED:
        # RFC 7296, 2.25.2: nothing new is begun on an IKE SA that is being closed.
        raise Refusal(NotifyType.TEMPORARY_FAILURE)
    if replacing(party, sa):
        # RFC 7296, 2.25.2; RFC 9370, 2.2.4: our own rekey of it is agreed, and its key exchanges are under way.
        raise Refusal(NotifyType.TEMPORARY_FAILURE)
    proposals = inbound.need(SecurityAssociation).proposals
    if proposals and proposals[0].protocol == Protocol.IKE:
        return AnswerRekeyIke(party)
    return AnswerCreateChild(party, find_replaced(party, inbound))


class AnswerInit:
    """IKE_SA_INIT, as responder."""

    def __init__(self, party: Party) -> None:
        self.party = party

    def begin(self) -> Run[Handshake]:
        return Run(IKE_SA_INIT, require_handshake(self.party))

    def agreed(self, response: tuple[bytes, ...]) -> None:
        handshake, sa = require_handshake(self.party), self.party.sa
        handshake.response = response[0]
        derive_keys(self.party, handshake)
        settle_path(self.party, handshake)
        sa.ledger.agenda.set(sa, Deadline.HALF_OPEN_ENDS, Instant(sa.ledger.now + _HALF_OPEN))

    def refused(self, refusal: Refusal) -> None:
        sa = self.party.sa
        if refusal.notify != NotifyType.INVALID_KE_PAYLOAD:
            candidates = require_handshake(self.party).candidates
            sa.ledger.emit_rarely(
                NegotiationFailed(
                    at=sa.ledger.now,
                    peer=candidates[0].name if len(candidates) == 1 else None,
                    ike=sa.label()["ike"],
                    stage=IKE_SA_INIT.name,
                    role=sa.role,
                    reason=refusal.report.reason,
                    they_said=refusal.report.they_said,
                    we_said=refusal.report.we_said,
                    detail=refusal.report.detail,
                )
            )
        sa.forget()


class AnswerAuth:
    """IKE_AUTH, as responder."""

    def __init__(self, party: Party) -> None:
        self.party = party

    def begin(self) -> Run[Handshake]:
        if self.party.sa.life is not IkeLife.CONNECTING:
            # Only the authenticated peer can send it. RFC 7296 has no such exchange: both ends close the IKE SA.
            raise malformed("a second IKE_AUTH")
        handshake = require_handshake(self.party)
        refuse_unfinished(handshake)
        return Run(IKE_AUTH, handshake)

    def agreed(self, response: tuple[bytes, ...]) -> None:
        establish(self.party, require_handshake(self.party))

    def refused(self, refusal: Refusal) -> None:
        party = self.party
        if party.sa.life is not IkeLife.CONNECTING:
            return
        if party.sa.peer is None and party.handshake is not None and len(party.handshake.candidates) == 1:
            party.sa.peer = party.handshake.candidates[0]  # for the journal: whom it might have been
        party.fail(IKE_AUTH.name, refusal.report)


class AnswerInformational:
    """INFORMATIONAL: deletes are carried out, errors are noted, and an empty one is answered by an empty one."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.notice = Notice(party.sa)

    def begin(self) -> Run[Notice]:
        return Run(INFORMATIONAL, self.notice)

    def agreed(self, response: tuple[bytes, ...]) -> None:
        if self.notice.ends_ike:
            self._end()
        for child in self.notice.gone:
            child.remove("deleted by the peer")
        follow(self.party, self.notice)
        honour_lifetime(self.party, self.notice.authenticated_for)
        if self.notice.redirect is not None and self.party.sa.peer is not None and self.party.sa.established:
            self.party.sa.ledger.tell_of_redirect(self.party.sa.peer, self.notice.redirect.gateway)

    def refused(self, refusal: Refusal) -> None:
        pass

    def _end(self) -> None:
        party, sa = self.party, self.party.sa
        if sa.life is IkeLife.CONNECTING:
            detail = "the peer deleted the IKE SA before it stood"
            party.fail(IKE_AUTH.name, refusal_by_delete(detail).report)
        else:
            heir, party.successor_of_peer = party.successor_of_peer, None
            if heir is not None and heir.established and sa.established:
                # RFC 7296, 2.25.2: our own rekey is forgotten; the children belong to the peer's successor.
                hand_over(sa, heir)
            sa.delete_silently("deleted by the peer")


def refusal_by_delete(detail: str) -> Refusal:
    return Refusal(NotifyType.AUTHENTICATION_FAILED, reason=FailureReason.DELETED_BY_PEER, detail=detail)
