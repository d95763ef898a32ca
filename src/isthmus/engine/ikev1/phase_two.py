"""Child SAs of version 1: made, renewed and deleted, from either end and at once. RFC 2409, 5.5.

The newest child serves. An old one goes on receiving until whoever asked for its successor deletes it.
"""

from __future__ import annotations

from abc import abstractmethod

from isthmus.engine.announcement import announce, report_child_failure
from isthmus.engine.child_sa import ChildSa
from isthmus.engine.collision import loses
from isthmus.engine.deadlines import Deadline
from isthmus.engine.exchange import Run
from isthmus.engine.ikev1.conversation import Conversation
from isthmus.engine.ikev1.exchanges import QUICK_MODE
from isthmus.engine.ikev1.kinship import children_of
from isthmus.engine.ikev1.later import Later
from isthmus.engine.ikev1.notices import notify_of, reason_of
from isthmus.engine.ikev1.party import Intention, Party
from isthmus.engine.ikev1.quick_setup import QuickSetup
from isthmus.engine.passage import stopped_by_nat
from isthmus.engine.refusal import Refusal, Report
from isthmus.engine.states import ChildLife
from isthmus.events.child import RekeyCollision
from isthmus.events.ike import FailureReason
from isthmus.model.address import Datagram
from isthmus.model.plan import ChildPlan, TunnelPlan
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import Instant, MessageId
from isthmus.wire.ikev1.message import Chain
from isthmus.wire.ikev1.payloads import Delete, Notify

_PEER_IS_READY = 2.0
"""Seconds after our last message until the successor sends, unless the peer was seen to use it before: a responder may
not have it in force earlier."""

_IN_PLACE_OF_DOUBTED = 0.2
"""The same where the old one hardly leads anywhere any more."""

_OLD_LEAVES = 10.0
"""Seconds from then until the old one is deleted."""

_PEER_LETS_GO = 90.0
"""Seconds that the peer has to delete one that it has replaced."""

_LOSER_LEAVES = 30.0
_CROSSING = 5.0
"""Seconds: when the peer began is known from when its message came. Nobody renews a successor younger than that."""
_STAGE = QUICK_MODE.name


class AskForChild(Intention):
    """Quick Mode as initiator: what making a child and replacing one have in common."""

    def __init__(self, party: Party, tunnel: TunnelPlan, child: ChildPlan) -> None:
        self.party = party
        self.tunnel = tunnel
        self.child = child
        self._setup: QuickSetup | None = None
        self._conversation: Conversation | None = None
        self._begun_at = Instant(0.0)

    @abstractmethod
    def still_wanted(self) -> bool: ...

    @abstractmethod
    def failed(self, report: Report) -> None: ...

    def begin(self) -> Conversation | None:
        party = self.party
        if not self.still_wanted():
            return None
        obstacle = stopped_by_nat(party.sa, self.tunnel)
        if obstacle is not None:
            self.failed(obstacle)
            return None
        number = party.talks.fresh_message_id()
        setup = QuickSetup(party.channel, number, True, party.nat_by_draft, self.tunnel, self.child)
        self._setup, self._begun_at = setup, party.sa.ledger.now
        self._conversation = Conversation(
            party.channel, Run(QUICK_MODE, setup), self, number, began_here=True, authenticate=setup.hash
        )
        return self._conversation

    def hears(self, leg: int, chain: Chain, datagram: Datagram) -> None:
        pass

    def speaks(self, leg: int) -> None:
        if leg == 2 and self._setup is not None:
            self._made = self._setup.make()
            self._made.installation.receive()

    def repeats(self) -> None:
        if self.party.unheard and self.party.phase_one is not None:
            self.party.phase_one.repeat()

    def agreed(self) -> None:
        settle(self.party, self._made, self._begun_at)
        self.party.pump()

    def refused(self, refusal: Refusal) -> None:
        # The peer waits for our confirmation; it hears why none comes.
        setup = self._setup
        spi = setup.spi_in.to_bytes(4, "big") if setup is not None else b""
        protocol = setup.protocol if setup is not None else Protocol.ESP
        self.party.inform(Notify(notify_of(refusal), protocol=protocol, spi=spi))
        self._over(refusal.report)

    def impossible(self, refusal: Refusal) -> None:
        if self._conversation is not None:
            self._conversation.end()
        self.failed(refusal.report)

    def refused_by_peer(self, notify: Notify) -> None:
        offered = tuple(str(o.proposal) for o in self._setup.offered) if self._setup else ()
        selectors = (*map(str, self.child.local), *map(str, self.child.remote))
        reason = reason_of(notify.notify)
        we_said = selectors if reason is FailureReason.SELECTORS_UNACCEPTABLE else offered
        self._over(Report(reason, (notify.notify.name,), we_said))

    def unreadable(self, why: str) -> None:
        pass

    def silent(self) -> None:
        """Authenticated once, and silent now: the question may be unwelcome, the peer may be gone (DPD will tell)."""
        self.failed(Report(FailureReason.NO_ANSWER, detail="Quick Mode was not answered"))
        if not self.party.peer_knows_dpd:
            self.party.lose_peer()
        else:
            self.party.pump()

    def _over(self, report: Report) -> None:
        if self._conversation is not None:
            self._conversation.end()
        self.failed(report)
        self.party.pump()


class CreateChild(AskForChild):
    """A child that succeeds nobody."""

    def still_wanted(self) -> bool:
        sa = self.party.sa
        return sa.established and not any(c.usable and c.plan == self.child for c in children_of(sa))

    def failed(self, report: Report) -> None:
        report_child_failure(self.party.sa, self.child.name, _STAGE, "initiator", report)


class RekeyChild(AskForChild):
    """A successor for a child."""

    def __init__(self, party: Party, old: ChildSa) -> None:
        super().__init__(party, old.tunnel, old.plan)
        self.old = old

    def still_wanted(self) -> bool:
        self.old.rekeying = self.party.sa.established and self.old.usable
        return self.old.rekeying

    def failed(self, report: Report) -> None:
        self.old.rekeying = False
        report_child_failure(self.party.sa, self.child.name, _STAGE, "initiator", report)
        self.old.retry_rekey()


class AnswerQuick:
    """Quick Mode as responder."""

    def __init__(self, party: Party, message_id: MessageId) -> None:
        self.party = party
        self.setup = QuickSetup(party.channel, message_id, False, party.nat_by_draft)
        self.conversation = Conversation(
            party.channel,
            Run(QUICK_MODE, self.setup),
            self,
            message_id,
            began_here=False,
            authenticate=self.setup.hash,
        )
        self._made: ChildSa | None = None
        self._begun_at = party.sa.ledger.now

    def hears(self, leg: int, chain: Chain, datagram: Datagram) -> None:
        if leg == 0:
            self.party.talks.keep(self.conversation)

    def speaks(self, leg: int) -> None:
        self._made = self.setup.make()
        self._made.installation.receive()

    def repeats(self) -> None:
        pass

    def agreed(self) -> None:
        if self._made is not None and self._made.life is ChildLife.INSTALLING:
            settle(self.party, self._made, self._begun_at)

    def refused(self, refusal: Refusal) -> None:
        self.conversation.end()
        if self._made is not None:
            self._made.remove_now("the peer's confirmation was refused")
        name = self.setup.child.name if self.setup.child else None
        report_child_failure(self.party.sa, name, _STAGE, "responder", refusal.report)
        self.party.inform(Notify(notify_of(refusal), protocol=self.setup.protocol))

    def unreadable(self, why: str) -> None:
        pass

    def silent(self) -> None:
        if self._made is not None and self._made.life is ChildLife.INSTALLING:
            self._made.remove_now("the peer did not confirm it")


def settle(party: Party, made: ChildSa, begun_at: Instant) -> None:
    """Both ends have it: alone it sends at once, else it takes over from those that served before."""
    before = [c for c in children_of(party.sa) if c is not made and c.usable and c.plan == made.plan]
    began_here, ledger = made.terms.began_here, party.sa.ledger
    made.schedule(requester=began_here)
    announce(made, replaces=before[0] if before else None)
    rival = _rival(party, made, before, begun_at)
    if rival is not None and _yields(party, made, rival):
        return
    for old in before:
        old.successor, old.rekeying = made, False
        ledger.agenda.cancel(old, Deadline.REKEY)
    if not before or not began_here:
        made.take_over()
    else:
        doubted = all(old.doubted for old in before)
        Later(ledger, _IN_PLACE_OF_DOUBTED if doubted else _PEER_IS_READY, lambda: _take_over(made))
    # Whoever asked for the successor deletes; should that be lost, or the peer not do so, the other end does.
    patience = _PEER_IS_READY + _OLD_LEAVES if began_here else _PEER_LETS_GO
    for old in before:
        Later(ledger, patience, lambda old=old: _let_go(old))  # type: ignore[misc]


def delete(party: Party, child: ChildSa, reason: str) -> None:
    """Tells the peer, which does not answer, and removes it."""
    if child.life in (ChildLife.DRAINING, ChildLife.DELETED):
        return
    child.leave()
    terms = child.terms
    party.insist(Delete(terms.suite.protocol, (terms.spi_in.to_bytes(4, "big"),)))
    child.remove(reason)


def _rival(party: Party, made: ChildSa, before: list[ChildSa], begun_at: Instant) -> ChildSa | None:
    """The child that the other end made meanwhile, of those that served before: the successor of the same one."""
    heirs = {id(child.successor) for child in children_of(party.sa) if child.successor is not None}
    for child in before:
        since = begun_at - _CROSSING if id(child) in heirs else begun_at
        if child.terms.began_here != made.terms.began_here and child.established_at >= since:
            return child
    return None


def _yields(party: Party, made: ChildSa, rival: ChildSa) -> bool:
    """Both ends made one at once: by the rule of version 2 the one with the lowest nonce is redundant, at both ends."""
    lost = loses(made.terms.nonces, rival.terms.nonces)
    winner, loser = (rival, made) if lost else (made, rival)
    ledger = party.sa.ledger
    whose = "ours" if winner.terms.began_here else "the peer's"
    ledger.emit(RekeyCollision(**party.sa.label(), child=made.name, winner=whose))
    if loser.terms.began_here:
        Later(ledger, _PEER_IS_READY + _OLD_LEAVES, lambda: _let_go(loser))
    else:
        ledger.agenda.set(loser, Deadline.EXPIRE, Instant(ledger.now + _LOSER_LEAVES))
    if lost:
        ledger.agenda.cancel(made, Deadline.REKEY)
        made.successor = winner
        made.retire()
    return lost


def _take_over(made: ChildSa) -> None:
    if made.usable:
        made.take_over()


def _let_go(old: ChildSa) -> None:
    if old.life in (ChildLife.INSTALLED, ChildLife.REKEYED):
        old.ike.dialect.delete_child(old, "rekeyed")
