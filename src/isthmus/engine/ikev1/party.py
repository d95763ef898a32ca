"""One end of an IKE SA of version 1: its channel, what is under way, and what waits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import TypeVar

from isthmus.engine import keep_alive, retry
from isthmus.engine.announcement import explain, report_failure
from isthmus.engine.deadlines import Deadline
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev1.channel import Channel
from isthmus.engine.ikev1.conversation import Conversation
from isthmus.engine.ikev1.handshake import Handshake
from isthmus.engine.ikev1.hashes import request_hash
from isthmus.engine.ikev1.later import Later
from isthmus.engine.ikev1.talks import Talks
from isthmus.engine.outputs import SendDatagram
from isthmus.engine.refusal import Refusal, Report
from isthmus.engine.states import IkeLife
from isthmus.model.plan import Ikev1Plan
from isthmus.model.quantities import Instant, Seconds
from isthmus.wire.ikev1.header import Header
from isthmus.wire.ikev1.message import encode_payloads
from isthmus.wire.ikev1.payloads import Hash, Notify, Payload
from isthmus.wire.registry import ExchangeTypeV1

_INSIST = (1.0, 3.0, 7.0)
"""Seconds after which a delete is said again: nobody acknowledges it (RFC 2408, 3.15)."""


class Intention(ABC):
    """A Quick Mode that we want: queued until the one before has ended, and asked then whether it still makes sense."""

    @abstractmethod
    def begin(self) -> Conversation | None: ...

    @abstractmethod
    def impossible(self, refusal: Refusal) -> None:
        """Version 1 has no words for it: nothing was said."""

    @abstractmethod
    def refused_by_peer(self, notify: Notify) -> None:
        """The peer said no, authentically."""


I = TypeVar("I", bound=Intention)  # noqa: E741


class Party:
    def __init__(self, sa: IkeSa) -> None:
        self.sa = sa
        self.channel = Channel(sa)
        self.handshake: Handshake | None = None
        self.phase_one: Conversation | None = None
        self.unheard = True
        """Nothing authentic has come since phase 1 ended here: our last message of it may be lost."""
        self.peer_fragments = False
        self.peer_knows_dpd = False
        self.nat_by_draft = False
        self.lifetime = Seconds(0.0)
        self.asking: tuple[Intention, Conversation] | None = None
        """Our Quick Mode that is under way."""
        self._queue: deque[Intention] = deque()
        self.talks = Talks(sa.ledger.entropy)

    @property
    def plan(self) -> Ikev1Plan:
        plan = self.sa.peer.ikev1 if self.sa.peer else None
        if plan is None:
            raise ValueError("IKEv1 is not configured for this peer")
        return plan

    # -- what we want

    def want(self, intention: Intention) -> None:
        self._queue.append(intention)
        self.pump()

    def wanted(self, kind: type[I]) -> list[I]:
        """The intentions of a kind, under way or queued."""
        under_way = [self.asking[0]] if self.asking and not self.asking[1].ended else []
        return [i for i in (*under_way, *self._queue) if isinstance(i, kind)]

    def pump(self) -> None:
        """Begins the next intention that still makes sense, once the one before has ended."""
        while self._queue and self.sa.established and (self.asking is None or self.asking[1].ended):
            intention = self._queue.popleft()
            conversation = intention.begin()
            if conversation is not None:
                self.asking = intention, conversation
                self.talks.keep(conversation)
                try:
                    conversation.begin()
                except Refusal as refusal:
                    intention.impossible(refusal)

    def drop_queue(self) -> None:
        self._queue.clear()

    def wipe(self) -> None:
        self._queue.clear()
        self.talks.end()
        if self.phase_one is not None:
            self.phase_one.end()
        self.handshake = self.asking = None
        self.channel.wipe()

    def inform(self, *payloads: Payload) -> None:
        """An Informational message: authenticated, and never answered (RFC 2409, 5.7)."""
        self._send(self._informational(payloads))

    def insist(self, *payloads: Payload) -> None:
        """A delete: said again, to the last bit so that it counts once, though the IKE SA may be gone by then."""
        datagrams, ledger = self._informational(payloads), self.sa.ledger
        self._send(datagrams)
        for seconds in _INSIST:
            Later(ledger, seconds, lambda: self._send(datagrams))

    def _informational(self, payloads: Sequence[Payload]) -> list[SendDatagram]:
        message_id, channel, sa = self.talks.fresh_message_id(), self.channel, self.sa
        _, rest = encode_payloads(payloads)
        proof = Hash(request_hash(channel.prf, channel.keys.a, message_id, rest))
        spis = sa.initiator_spi, sa.responder_spi
        header = Header(*spis, ExchangeTypeV1.INFORMATIONAL, message_id, encrypted=True)
        datagrams, _ = channel.write(header, [proof, *payloads], channel.iv_for(message_id))
        return [SendDatagram(sa.local, sa.remote, octets) for octets in datagrams]

    def _send(self, datagrams: list[SendDatagram]) -> None:
        for datagram in datagrams:
            self.sa.ledger.emit(datagram)

    # -- ends

    def fail(self, stage: str, report: Report) -> None:
        """The IKE SA could not be set up."""
        report_failure(self.sa, stage, report)
        if self.sa.life is not IkeLife.DELETED:
            self.sa.delete_silently(explain(report))

    def lose_peer(self) -> None:
        self.sa.delete_silently("the peer does not answer")

    def schedule(self) -> None:
        """Sets the deadlines of an established IKE SA."""
        sa, agenda, now = self.sa, self.sa.ledger.agenda, self.sa.ledger.now
        agenda.cancel(sa, Deadline.HALF_OPEN_ENDS)
        later = 0.0 if sa.began_here else 0.02 * self.lifetime  # so that the two ends seldom collide
        agenda.set(sa, Deadline.REKEY, Instant(now + retry.rekey_after(self.lifetime, sa.ledger.entropy) + later))
        agenda.set(sa, Deadline.EXPIRE, Instant(now + self.lifetime))
        keep_alive.schedule(sa)
