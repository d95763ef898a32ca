"""Rekeying an IKE SA: its children pass to a new one, from either end and at once. RFC 7296, 1.3.2, 2.18, 2.25.2."""

from __future__ import annotations

from isthmus.engine.collision import loses
from isthmus.engine.deadlines import Deadline
from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.children import AskForChild, DeleteChild
from isthmus.engine.ikev2.exchanges import REKEY_IKE
from isthmus.engine.ikev2.follow_up import WAIT, Creation, FollowUp, Unfinished
from isthmus.engine.ikev2.ike_successor import IkeSuccessor
from isthmus.engine.ikev2.keys import ike_keys, skeyseed_rekey
from isthmus.engine.ikev2.method_guess import MethodGuess
from isthmus.engine.ikev2.party import Party
from isthmus.engine.ledger import Turn
from isthmus.engine.refusal import Refusal, Report, reason_of
from isthmus.engine.states import IkeLife
from isthmus.events.ike import IkeRekeyCollision, IkeRekeyed, NegotiationFailed
from isthmus.model.quantities import Instant, Seconds
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import NotifyType

_OLD_LEAVES = Seconds(30.0)
"""How long the end that has to delete an IKE SA without children may take."""


class RekeyIke(Creation):
    """CREATE_CHILD_SA for a new IKE SA."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.successor: IkeSuccessor | None = None
        self._guess = MethodGuess(party.sa.peer.profile.proposals if party.sa.peer else ())

    @property
    def replaces(self) -> IkeSa:
        return self.party.sa

    def begin(self) -> Run[IkeSuccessor] | None:
        if not self.party.sa.established or self.party.unfinished_for(self.party.sa) is not None:
            return None
        offered, method = self._guess.offered, self._guess.method
        self.successor = IkeSuccessor(self.party.sa, began_here=True, offered=offered, method=method)
        return Run(REKEY_IKE, self.successor)

    def succeeded(self, message: Inbound) -> None:
        party, new = self.party, self.successor
        if new is None or not party.sa.established:
            return
        party.yields = 0
        if not self._gives_way(new):
            self.go_on(new.rounds)

    def finished(self) -> None:
        party, new = self.party, self.successor
        if new is None or not party.sa.established:
            return
        ours, theirs = stand_up(party, new), party.successor_of_peer
        party.successor_of_peer = None
        if theirs is None or theirs.life is not IkeLife.ESTABLISHED:
            hand_over(party.sa, ours)
            ask_old_to_leave(party.sa)
            return
        if _outdone(party.sa, ours.nonces, theirs.nonces):
            hand_over(party.sa, theirs)
            ours.dialect.delete_ike("redundant after a crossed rekey")
            expect_old_to_leave(party.sa)
        else:
            hand_over(party.sa, ours)
            ask_old_to_leave(party.sa)
            expect_loser_to_leave(theirs)

    def refused(self, notify: Notify) -> None:
        party = self.party
        theirs, party.successor_of_peer = party.successor_of_peer, None
        if theirs is not None and theirs.established:
            hand_over(party.sa, theirs)  # ours came to nothing, the peer's stands
            expect_old_to_leave(party.sa)
        elif notify.notify == NotifyType.INVALID_KE_PAYLOAD and self._guess.corrected(notify.data):
            party.requests.want(self, first=True)
        elif notify.notify == NotifyType.TEMPORARY_FAILURE:
            party.yield_to_peer()
            party.requests.want(self)
        else:
            self._failed(Report(reason_of(notify.notify), (notify.notify.name,)))

    def rejected(self, refusal: Refusal) -> None:
        self._failed(refusal.report)

    def silent(self, attempts: int) -> None:
        self.party.lose_peer()

    def _gives_way(self, new: IkeSuccessor) -> bool:
        """Whether the peer's own exchange, which crossed this one, decides that nothing comes of it."""
        # RFC 9370, 2.2.4: with key exchanges to follow it is decided before there is anything to delete.
        party = self.party
        rival, theirs = party.unfinished_for(party.sa), party.successor_of_peer
        if new.rounds is not None and theirs is not None and theirs.established:
            nonces = theirs.nonces
        elif rival is not None:
            theirs, nonces = None, rival.nonces
        else:
            return False
        lost = _outdone(party.sa, new.nonces, nonces)
        if lost and new.rounds is None:
            stand_up(party, new).dialect.delete_ike("redundant after a crossed rekey")
        if theirs is not None:
            party.successor_of_peer = None
            if lost:
                hand_over(party.sa, theirs)
                expect_old_to_leave(party.sa)
            else:
                expect_loser_to_leave(theirs)
        elif rival is not None and not lost:
            rival.drop()
        return lost

    def _failed(self, report: Report) -> None:
        """The old IKE SA serves on; it tries again while its lifetime lasts."""
        sa = self.party.sa
        sa.ledger.emit(
            NegotiationFailed(
                **sa.label(),
                stage=REKEY_IKE.name,
                role="initiator",
                reason=report.reason,
                they_said=report.they_said,
                we_said=report.we_said,
                detail=report.detail or "rekeying the IKE SA",
            )
        )
        _retry_rekey(sa)


class AnswerRekeyIke:
    """CREATE_CHILD_SA for a new IKE SA, as replier."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.successor = IkeSuccessor(party.sa, began_here=False)

    def begin(self) -> Run[IkeSuccessor]:
        requests = self.party.requests
        under_way = requests.outstanding.intention if requests.outstanding else None
        if isinstance(under_way, AskForChild | DeleteChild | FollowUp):
            # RFC 7296, 2.25.2: not while we are creating, rekeying or closing a child of it.
            # RFC 9370, 2.2.4: nor while the key exchanges are under way that are to replace it.
            raise Refusal(NotifyType.TEMPORARY_FAILURE)
        return Run(REKEY_IKE, self.successor)

    def agreed(self, response: tuple[bytes, ...]) -> None:
        party, successor = self.party, self.successor
        if successor.rounds is None:
            self._stands()
            return
        Unfinished(party, successor.rounds, successor.nonces, party.sa, finish=self._finished, abandon=self._abandoned)
        # RFC 7296, 2.25.2: nothing is begun on an IKE SA that is being replaced.
        party.requests.pause(WAIT)

    def _finished(self) -> None:
        self._stands()
        self.party.requests.resume()

    def _abandoned(self) -> None:
        party = self.party
        if not party.requests.wanted(RekeyIke):
            _retry_rekey(party.sa)
        party.requests.resume()

    def _stands(self) -> None:
        party = self.party
        new = stand_up(party, self.successor)
        under_way = party.requests.outstanding.intention if party.requests.outstanding else None
        if isinstance(under_way, RekeyIke):
            party.successor_of_peer = new  # crossed: decided when our own request is answered
        else:
            hand_over(party.sa, new)
            expect_old_to_leave(party.sa)

    def refused(self, refusal: Refusal) -> None:
        pass


def _outdone(sa: IkeSa, ours: tuple[bytes, bytes], theirs: tuple[bytes, bytes]) -> bool:
    """Whether ours is the redundant one of two exchanges that are to replace this IKE SA, by their nonces."""
    we_lose = loses(ours, theirs)
    sa.ledger.emit(IkeRekeyCollision(**sa.label(), winner="the peer's" if we_lose else "ours"))
    return we_lose


def _retry_rekey(sa: IkeSa) -> None:
    """A rekey failed: again later, while the lifetime lasts."""
    agenda, now = sa.ledger.agenda, sa.ledger.now
    ends = agenda.at(sa, Deadline.EXPIRE)
    if ends is not None:
        agenda.set(sa, Deadline.REKEY, Instant(now + max((ends - now) / 3, 1.0)))


def stand_up(party: Party, successor: IkeSuccessor) -> IkeSa:
    """The new IKE SA, established, with keys that grow from the old one's SK_d (RFC 7296, 2.18)."""
    old, suite = party.sa, successor.suite
    if suite is None or suite.prf is None or suite.encryption is None:
        raise ValueError("no suite is agreed")
    new = IkeSa(old.ledger, successor.our_spi, old.local, old.remote, began_here=successor.began_here)
    new.their_spi, new.suite, new.nonces = successor.their_spi, suite, successor.nonces
    new.peer, new.nat, new.mobility, new.udp = old.peer, old.nat, old.mobility, old.udp
    new.local_id, new.remote_id = old.local_id, old.remote_id
    heir = party.spawn(new)
    nonces = b"".join(successor.nonces)
    additional = successor.rounds.additional if successor.rounds else b""
    seed = skeyseed_rekey(party.prf, party.sk_d, successor.shared, nonces, additional)
    spis = new.initiator_spi + new.responder_spi
    heir.channel.protect(ike_keys(suite.prf, seed, nonces, spis, suite.encryption, suite.integrity))
    heir.channel.fragment_limit = party.channel.fragment_limit
    heir.requests.pace = party.requests.pace
    new.become(IkeLife.ESTABLISHED)
    new.established_at = old.ledger.now
    heir.schedule()
    return new


def hand_over(old: IkeSa, new: IkeSa) -> None:
    """All children and the time of the next proof of identity pass to the new IKE SA."""
    agenda = old.ledger.agenda
    for proof in (Deadline.REAUTHENTICATE, Deadline.AUTHENTICATION_ENDS):
        at = agenda.at(old, proof)
        if at is not None:
            agenda.set(new, proof, at)
    for child in tuple(old.children.values()):
        child.adopt(new)
        if child.rekeying:
            child.rekeying = False  # it was queued on the old IKE SA, and is asked for again on the new one
            child.retry_rekey()
    old.ledger.emit(
        IkeRekeyed(**new.label(), old=f"{old.initiator_spi.hex()}:{old.responder_spi.hex()}", suite=str(new.suite))
    )
    new.rivalry.inherit(old)
    old.become(IkeLife.REKEYED)
    for what in (
        Deadline.REKEY,
        Deadline.REAUTHENTICATE,
        Deadline.AUTHENTICATION_ENDS,
        Deadline.PROBE_PEER,
        Deadline.KEEP_NAT_OPEN,
        Deadline.TWIN_ENDS,
    ):
        agenda.cancel(old, what)
    old.dialect.retire(wipe=False)
    old.ledger.tell(new.peer, Turn.IKE_UP)


def ask_old_to_leave(old: IkeSa) -> None:
    """RFC 7296, 2.8: whoever asked for the successor deletes the old IKE SA."""
    old.dialect.delete_ike("rekeyed")


def expect_old_to_leave(old: IkeSa) -> None:
    """The peer asked for the successor, and will delete the old one; if it forgets, we do."""
    old.ledger.agenda.set(old, Deadline.EXPIRE, Instant(old.ledger.now + _OLD_LEAVES))


def expect_loser_to_leave(loser: IkeSa) -> None:
    """The peer made the redundant IKE SA, and will delete it; if it forgets, we do."""
    agenda = loser.ledger.agenda
    agenda.cancel(loser, Deadline.REKEY)
    agenda.set(loser, Deadline.EXPIRE, Instant(loser.ledger.now + _OLD_LEAVES))
