"""Setting up an IKE SA of version 1, from either end. RFC 2409, 5.1 to 5.4."""

from __future__ import annotations

from isthmus.engine.announcement import announce_ike, report_failure
from isthmus.engine.deadlines import Deadline
from isthmus.engine.exchange import Run
from isthmus.engine.ikev1.conversation import Conversation
from isthmus.engine.ikev1.exchanges import AGGRESSIVE_MODE, MAIN_MODE
from isthmus.engine.ikev1.handshake import Handshake
from isthmus.engine.ikev1.kinship import adopt, kin_of
from isthmus.engine.ikev1.notices import notify_of, reason_of
from isthmus.engine.ikev1.party import Party
from isthmus.engine.ikev1.path import settle_path
from isthmus.engine.ikev1.phase_two import CreateChild
from isthmus.engine.ledger import Turn
from isthmus.engine.outputs import SendDatagram
from isthmus.engine.refusal import Refusal, Report
from isthmus.engine.states import IkeLife
from isthmus.engine.twins import settle_twins
from isthmus.events.ike import FailureReason, WeakAlgorithm
from isthmus.model.address import Datagram
from isthmus.model.plan import ChildPlan, ExchangeMode, PeerPlan, TunnelPlan
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import NO_SPI, Instant, MessageId, Seconds
from isthmus.wire.ikev1.header import Header
from isthmus.wire.ikev1.message import Chain, Message, encode
from isthmus.wire.ikev1.payloads import Delete, Notify
from isthmus.wire.registry import ExchangeTypeV1

_HALF_OPEN = Seconds(30.0)
"""How long a responder waits for the proof: long enough for the initiator's repeated messages."""

_BELIEVE_AFTER = 2.0
"""Seconds that an unprotected refusal waits for a proper answer to prove it forged."""

_AGGRESSIVE = "aggressive mode with a pre-shared key"
_AGGRESSIVE_BECAUSE = "who listens can try keys offline, and identities are in the clear (RFC 2409, 5.4; RFC 9395, 1)"


class SetUp:
    """The outcome of Main Mode or Aggressive Mode."""

    def __init__(self, party: Party, handshake: Handshake, first: tuple[TunnelPlan, ChildPlan] | None = None) -> None:
        self.party = party
        self.handshake = handshake
        self.first = first
        """The child that the IKE SA is wanted for."""
        self._hint: Report | None = None
        """Why it may have come to nothing: said without proof."""
        self._puzzled = False

    def hears(self, leg: int, chain: Chain, datagram: Datagram) -> None:
        self.handshake.heard, self.handshake.arrived = chain, datagram
        doubted = self.party.sa.rivalry.doubted
        if leg == 1 and doubted is not None and doubted.established:
            # The peer can be reached: it has until our proof to show that it knows the IKE SA that stands.
            doubted.dialect.ask_again()

    def speaks(self, leg: int) -> None:
        pass

    def repeats(self) -> None:
        pass

    def agreed(self) -> None:
        establish(self.party, self.handshake)
        if self.first is not None:
            self.party.want(CreateChild(self.party, *self.first))

    def refused(self, refusal: Refusal) -> None:
        party, sa = self.party, self.party.sa
        conversation = party.phase_one
        if conversation is None or not (conversation.answered or sa.began_here):
            self._turn_away(refusal)
        elif not conversation.sealed:
            # Anybody could have sent it: the proper message may still come.
            self.hint(refusal.report)
        elif sa.began_here:
            # The responder believes that it is authenticated; it is told that it is not.
            spi = sa.initiator_spi + sa.responder_spi
            party.inform(Notify(notify_of(refusal), spi=spi))
            party.insist(Delete(Protocol.IKE, (spi,)))
            party.fail(self._stage, refusal.report)
        else:
            # Said to nobody: who guesses keys and who guesses names see the same silence.
            party.fail(self._stage, refusal.report)

    def unreadable(self, why: str) -> None:
        detail = f"what the peer sealed cannot be read, the pre-shared keys differ: {why}"
        report = Report(FailureReason.AUTHENTICATION_FAILED, detail=detail)
        if self.party.sa.began_here:
            self.hint(report)
        elif not self._puzzled:
            # A responder goes on waiting: the right message may still come, and this one proves nothing.
            self._puzzled = True
            report_failure(self.party.sa, self._stage, report)

    def silent(self) -> None:
        remote, conversation = self.party.sa.remote, self.party.phase_one
        detail = f"no answer from {remote}"
        if conversation is not None and conversation.answered:
            detail = f"{remote} did not answer the proof: pre-shared key or identity may differ"
        self.party.fail(self._stage, self._hint or Report(FailureReason.NO_ANSWER, detail=detail))

    def doubted(self, notify: Notify) -> None:
        """An unprotected refusal: a reason to wait less long, no more."""
        we_said = tuple(str(offer.proposal) for offer in self.handshake.offered)
        reason = reason_of(notify.notify, phase_one=True)
        self.hint(Report(reason, (notify.notify.name,), we_said, "unprotected: believed, as no answer came"))

    def hint(self, report: Report) -> None:
        self._hint = self._hint or report
        if self.party.sa.began_here and self.party.phase_one is not None:
            self.party.phase_one.abandon_within(_BELIEVE_AFTER)

    def _turn_away(self, refusal: Refusal) -> None:
        """A responder answers the first message with its refusal, one for one, and keeps nothing."""
        sa, handshake = self.party.sa, self.handshake
        if sa.peer is None and len(handshake.candidates) == 1:
            sa.peer = handshake.candidates[0]  # for the journal: whom it might have been
        report_failure(sa, self._stage, refusal.report)
        if handshake.arrived is not None:
            number = MessageId(int.from_bytes(sa.ledger.entropy.octets(4), "big") or 1)
            header = Header(sa.initiator_spi, NO_SPI, ExchangeTypeV1.INFORMATIONAL, number)
            octets = encode(header, [Notify(notify_of(refusal))])
            sa.ledger.emit(SendDatagram(handshake.arrived.local, handshake.arrived.remote, octets))
        sa.forget()

    @property
    def _stage(self) -> str:
        return self.handshake.exchange.name


def begin(party: Party, peer: PeerPlan, first: tuple[TunnelPlan, ChildPlan] | None) -> SetUp:
    """As initiator."""
    mode = peer.ikev1.exchange_mode if peer.ikev1 else ExchangeMode.MAIN
    exchange = AGGRESSIVE_MODE if mode is ExchangeMode.AGGRESSIVE else MAIN_MODE
    handshake = Handshake(party.channel, exchange, (peer,))
    outcome = SetUp(party, handshake, first)
    party.handshake = handshake
    party.phase_one = Conversation(party.channel, Run(exchange, handshake), outcome, began_here=True)
    try:
        party.phase_one.begin()
    except Refusal as refusal:  # the profile has nothing that version 1 can express
        party.fail(exchange.name, refusal.report)
    return outcome


def answer(party: Party, datagram: Datagram, message: Message, candidates: tuple[PeerPlan, ...]) -> SetUp:
    """As responder, to the first message that admission has let in."""
    sa = party.sa
    exchange = AGGRESSIVE_MODE if message.header.exchange == ExchangeTypeV1.AGGRESSIVE else MAIN_MODE
    handshake = Handshake(party.channel, exchange, candidates)
    outcome = SetUp(party, handshake)
    party.handshake = handshake
    party.phase_one = Conversation(party.channel, Run(exchange, handshake), outcome, began_here=False)
    sa.ledger.agenda.set(sa, Deadline.HALF_OPEN_ENDS, Instant(sa.ledger.now + _HALF_OPEN))
    party.phase_one.receive(datagram, message)
    return outcome


def establish(party: Party, handshake: Handshake) -> None:
    """Both ends are authenticated."""
    sa = party.sa
    settle_path(handshake)
    if party.phase_one is not None:
        party.channel.last_block = party.phase_one.iv
    party.handshake = None
    party.lifetime = handshake.lifetime
    party.peer_fragments, party.nat_by_draft = handshake.peer_fragments, handshake.nat_by_draft
    party.peer_knows_dpd = handshake.peer_knows_dpd
    if handshake.peer_fragments and handshake.peer.fragmentation.enabled:
        party.channel.packet_limit = handshake.peer.fragmentation.size
    sa.become(IkeLife.ESTABLISHED)
    sa.established_at = sa.heard_at = sa.ledger.now
    party.schedule()
    if party.peer_knows_dpd and party.plan.dpd.enabled:
        sa.ledger.agenda.set(sa, Deadline.PROBE_PEER, Instant(sa.ledger.now + party.plan.dpd.interval))
    announce_ike(sa)
    if handshake.aggressive:
        sa.ledger.emit(WeakAlgorithm(**sa.label(), algorithm=_AGGRESSIVE, because=_AGGRESSIVE_BECAUSE))
    forgotten = [child for kin in kin_of(sa) if kin.rivalry.suspected for child in kin.children.values()]
    adopt(sa)
    for child in forgotten:
        child.doubted = True
        child.rekey_wanted()
    settle_twins(sa)
    sa.ledger.tell(sa.peer, Turn.IKE_UP)
