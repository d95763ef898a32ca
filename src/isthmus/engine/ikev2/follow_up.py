"""IKE_FOLLOWUP_KE: the additional key exchanges of a CREATE_CHILD_SA. RFC 9370, 2.2.4: nothing is made before them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from isthmus.engine.child_sa import ChildSa
from isthmus.engine.deadlines import Deadline
from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.exchanges import IKE_FOLLOWUP_KE
from isthmus.engine.ikev2.intention import Intention
from isthmus.engine.ikev2.key_rounds import KeyRounds
from isthmus.engine.ikev2.party import Party
from isthmus.engine.refusal import Refusal
from isthmus.engine.states import IkeLife
from isthmus.model.quantities import Instant, Seconds
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import NotifyType

WAIT = Seconds(20.0)
"""RFC 9370, 2.2.4: the state of an unfinished series is kept for 5 to 20 seconds."""

_MAX_UNFINISHED = 16
"""At one IKE SA: more than a peer has use for, and a bound on what it may make us keep."""

_MAX_LOST = 4
"""RFC 9370, 2.2.4: with a peer that loses the state again and again there is no going on."""


class Creation(Intention):
    """CREATE_CHILD_SA, which may have key exchanges to follow before anything comes of it."""

    party: Party

    @property
    def replaces(self) -> ChildSa | IkeSa | None:
        """Which SA is to have a successor by it."""
        return None

    @abstractmethod
    def finished(self) -> None:
        """All key exchanges are done."""

    def go_on(self, rounds: KeyRounds | None) -> None:
        """The next key exchange, if there is one."""
        if rounds is None or rounds.method is None:
            self.party.lost_states = 0
            self.finished()
        else:
            self.party.requests.want(FollowUp(self, rounds), first=True)


class FollowUp(Intention):
    """One round, as requester."""

    def __init__(self, creation: Creation, rounds: KeyRounds) -> None:
        self.creation = creation
        self.rounds = rounds

    @property
    def purpose(self) -> Intention:
        return self.creation

    def begin(self) -> Run[KeyRounds] | None:
        return Run(IKE_FOLLOWUP_KE, self.rounds) if self.creation.party.sa.established else None

    def succeeded(self, message: Inbound) -> None:
        self.rounds.advance()
        self.creation.go_on(self.rounds)

    def refused(self, notify: Notify) -> None:
        party = self.creation.party
        if notify.notify != NotifyType.STATE_NOT_FOUND:
            self.creation.refused(notify)
            return
        party.lost_states += 1
        if party.lost_states > _MAX_LOST:
            party.sa.dialect.delete_ike("the peer loses the state of key exchanges again and again")
        else:
            party.requests.want(self.creation)

    def rejected(self, refusal: Refusal) -> None:
        self.creation.rejected(refusal)

    def silent(self, attempts: int) -> None:
        self.creation.silent(attempts)


class Unfinished:
    """A CREATE_CHILD_SA that we have answered, and whose key exchanges the peer has yet to ask for."""

    def __init__(
        self,
        party: Party,
        rounds: KeyRounds,
        nonces: tuple[bytes, bytes],
        replaces: ChildSa | IkeSa | None,
        *,
        finish: Callable[[], None],
        abandon: Callable[[], None],
    ) -> None:
        self.party = party
        self.rounds = rounds
        self.nonces = nonces
        self.replaces = replaces
        self._finish = finish
        self._abandon = abandon
        rival = party.unfinished_for(replaces)
        if rival is not None:
            rival.drop()  # the peer began the same once more
        elif len(party.unfinished) == _MAX_UNFINISHED:
            party.unfinished[0].drop()
        party.unfinished.append(self)
        self._wait()

    def due(self, what: Deadline) -> None:
        self.drop()

    def went_on(self) -> None:
        """A round is over; after the last, what they were all for is made."""
        self.rounds.advance()
        if self.rounds.method is None:
            self.forget()
            self._finish()
        else:
            self._wait()

    def drop(self) -> None:
        """The peer will not go on, or must not."""
        self.forget()
        self._abandon()

    def forget(self) -> None:
        self.party.unfinished.remove(self)
        self.party.sa.ledger.agenda.forget(self)

    def _wait(self) -> None:
        ledger = self.party.sa.ledger
        ledger.agenda.set(self, Deadline.EXPIRE, Instant(ledger.now + WAIT))


class AnswerFollowUp:
    """One round, as replier."""

    def __init__(self, unfinished: Unfinished) -> None:
        self.unfinished = unfinished

    def begin(self) -> Run[KeyRounds]:
        return Run(IKE_FOLLOWUP_KE, self.unfinished.rounds)

    def agreed(self, response: tuple[bytes, ...]) -> None:
        self.unfinished.went_on()

    def refused(self, refusal: Refusal) -> None:
        self.unfinished.drop()


def find_unfinished(party: Party, inbound: Inbound) -> Unfinished:
    """What a request goes on with."""
    link = inbound.notify(NotifyType.ADDITIONAL_KEY_EXCHANGE)
    for unfinished in party.unfinished if party.sa.life is IkeLife.ESTABLISHED else ():
        if link is not None and unfinished.rounds.link == link.data:
            return unfinished
    raise Refusal(NotifyType.STATE_NOT_FOUND)


def replacing(party: Party, sa: ChildSa | IkeSa) -> bool:
    """Whether key exchanges are under way, at our request, that are to replace this SA."""
    outstanding = party.requests.outstanding
    under_way = outstanding.intention if outstanding is not None else None
    return isinstance(under_way, FollowUp) and under_way.creation.replaces is sa
