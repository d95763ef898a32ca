"""What we ask: a queue of intentions, one request outstanding, repeated until it is answered. RFC 7296, 2.1 to 2.4."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from isthmus.engine import retry
from isthmus.engine.deadlines import Deadline
from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.ikev2.channel import Channel, Malformed
from isthmus.engine.ikev2.intention import Intention
from isthmus.engine.outputs import SendDatagram
from isthmus.engine.refusal import Refusal, malformed
from isthmus.engine.states import IkeLife
from isthmus.events.ike import PeerSilent
from isthmus.events.message import Retransmitted, Trigger
from isthmus.model.address import Datagram
from isthmus.model.quantities import NO_SPI, Instant, MessageId
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.message import Message
from isthmus.wire.ikev2.payloads import Payload
from isthmus.wire.registry import NotifyType

_LARGEST_MESSAGE_ID = 2**32 - 1

_CUT_SMALLER_AFTER = 2
"""Tries at the size that is configured, before silence is taken for a path that carries less."""

_BELIEVE_AFTER = 2.0
"""Seconds that the peer is given once it has been asked in vain whether it knows us."""

I = TypeVar("I", bound=Intention)  # noqa: E741


@dataclass(slots=True)
class Outstanding:
    """The one request that waits for its response."""

    intention: Intention
    run: Run[Any]
    header: Header
    payloads: Sequence[Payload]
    datagrams: tuple[bytes, ...]
    sent_at: Instant
    """The first time, or the first since the peer was heard again."""
    tried_at: Instant
    """The last time."""
    attempts: int = 1
    hurried: int = 0
    """How often it is still repeated in quick succession, as the peer may not know us any more."""
    hinted: bool = False
    """Somebody has said, without proof, that the peer does not know the IKE SA."""
    abandoned: bool = False
    """It is not repeated any more, and waited for a little longer."""
    renewed: bool = False
    """Many tries came to nothing before, and the peer was heard after the last of them."""

    @property
    def message_id(self) -> MessageId:
        return self.header.message_id


class Requests:
    """Our half of the window."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.sa = channel.sa
        self.outstanding: Outstanding | None = None
        self.answered = False
        """Whether the peer has answered anything yet."""
        self.pace = retry.Pace()
        """How soon the peer answers."""
        self._queue: deque[Intention] = deque()
        self._next = MessageId(0)
        self._paused = False

    def want(self, intention: Intention, *, first: bool = False) -> None:
        """Queues an intention, and begins it if the window is free."""
        if first:
            self._queue.appendleft(intention)
        else:
            self._queue.append(intention)
        self.pump()

    def wanted(self, kind: type[I]) -> list[I]:
        """The intentions of a kind, under way or queued."""
        under_way = [self.outstanding.intention] if self.outstanding else []
        return [i.purpose for i in (*under_way, *self._queue) if isinstance(i.purpose, kind)]

    def pump(self) -> None:
        """Begins the next intention that still makes sense."""
        while self._queue and self.outstanding is None and not self._paused and self._may_speak():
            intention = self._queue.popleft()
            run = intention.begin()
            if run is not None:
                self._begin(intention, run)

    def pause(self, seconds: float) -> None:
        """Begins nothing for a while: the peer said TEMPORARY_FAILURE."""
        self._paused = True
        ledger = self.sa.ledger
        ledger.agenda.set(self.sa, Deadline.NEXT_INTENTION, Instant(ledger.now + seconds))

    def resume(self) -> None:
        self._paused = False
        self.pump()

    def reset(self) -> None:
        """Nothing is outstanding, and message IDs count from 0 again (RFC 7296, 2.6 and 2.7)."""
        self._settle()
        self._next = MessageId(0)

    def drop_queue(self) -> None:
        """Forgets what has not begun yet."""
        self._queue.clear()

    def repeat(self) -> None:
        """The response is overdue: send the request again, or give up."""
        outstanding, sa = self.outstanding, self.sa
        if outstanding is None:
            return
        exchange = outstanding.run.exchange.name
        exhausted = outstanding.attempts >= outstanding.intention.tries and not self._renew(outstanding)
        if exhausted or outstanding.abandoned:
            self._settle()
            sa.ledger.emit(PeerSilent(**sa.label(), exchange=exchange, attempts=outstanding.attempts))
            outstanding.intention.silent(outstanding.attempts)
            return
        self._suspect_silence(outstanding)
        if outstanding.attempts == _CUT_SMALLER_AFTER and not self.channel.pieces:
            again = self.channel.write_smaller(outstanding.header, outstanding.payloads, outstanding.datagrams)
            outstanding.datagrams = again
        outstanding.attempts += 1
        message_id, attempt = outstanding.message_id, outstanding.attempts
        sa.ledger.emit(Retransmitted(**sa.label(), exchange=exchange, message_id=message_id, attempt=attempt))
        self._transmit(outstanding)

    def ask(self, intention: Intention) -> None:
        """The peer has been silent: what it owes an answer to, else this intention, is sent in quick succession."""
        if self.outstanding is None:
            self.want(intention)
        outstanding = self.outstanding
        if outstanding is None:
            return
        if outstanding.attempts > retry.HURRIED_ATTEMPTS and not self._renew(outstanding):
            self.sa.rivalry.suspect()
        else:
            self._hurry(outstanding, retry.HURRIED_ATTEMPTS)

    def repeat_now(self, *, hurried: int = 0) -> None:
        """The peer is to be found, elsewhere or again: what it has not answered is sent at once."""
        if self.outstanding is not None:
            self.outstanding.hurried = hurried
            self._transmit(self.outstanding)

    def abandon_within(self, seconds: float) -> None:
        """Brings the end of the outstanding request nearer: a refusal that proves nothing came (RFC 7296, 2.21.1)."""
        outstanding = self.outstanding
        if outstanding is not None and not outstanding.abandoned:
            outstanding.abandoned = True
            self._repeat_after(seconds)

    def receive(self, datagram: Datagram, message: Message) -> None:
        """A response. One that answers nothing, or is not authentic, changes nothing."""
        outstanding, header = self.outstanding, message.header
        expected = (outstanding.message_id, outstanding.run.exchange.exchange_type) if outstanding else None
        if outstanding is None or (header.message_id, header.exchange) != expected:
            self.channel.drop(datagram, Trigger.NOT_EXPECTED)
        elif outstanding.run.exchange.legs[1].sealed:
            self._receive_sealed(outstanding, datagram, message)
        else:
            self._receive_plain(outstanding, datagram, message)
        self.pump()

    def _renew(self, outstanding: Outstanding) -> bool:
        """Gives it all its tries again if the peer was heard since it was sent last: a silence of two minutes takes
        nearly all of them with it. Once: a peer that speaks and never answers is given up all the same."""
        if outstanding.renewed or outstanding.abandoned or self.sa.heard_at <= outstanding.tried_at:
            return False
        outstanding.renewed, outstanding.sent_at = True, self.sa.ledger.now
        outstanding.attempts = outstanding.hurried = 0
        return True

    def _receive_sealed(self, outstanding: Outstanding, datagram: Datagram, message: Message) -> None:
        if Inbound(message.payloads).notify(NotifyType.INVALID_IKE_SPI) is not None:
            self._take_hint()
        pieces = self.channel.pieces
        try:
            inbound = self.channel.open(datagram, message)
        except Malformed as nonsense:
            self._settle()
            outstanding.intention.rejected(malformed(str(nonsense)))
            return
        if inbound is None:
            if self.channel.pieces > pieces:
                self._hear_piece(outstanding)
            return
        self.channel.note("<--", message.header, inbound.payloads)
        self._answered(outstanding)
        error = inbound.error()
        if error is not None and not outstanding.run.exchange.legs[1].needs <= inbound.types:
            outstanding.intention.refused(error)
        else:
            self._hear(outstanding, inbound)
        if error is not None and error.notify == NotifyType.INVALID_SYNTAX:
            # RFC 7296, 2.21.3: the peer has ended the IKE SA, whatever it was that made no sense to it.
            self.sa.delete_silently("what we said makes no sense to the peer")

    def _hear_piece(self, outstanding: Outstanding) -> None:
        """Part of the response: the peer lives, and has the whole request. What is missing is asked for soon, and as
        often as it takes: on a bad network all of several fragments arrive less often than one datagram."""
        self.sa.hear(message=True)
        outstanding.hurried = 0
        outstanding.attempts = min(outstanding.attempts, _CUT_SMALLER_AFTER)
        if not outstanding.abandoned:
            self._repeat_after(retry.repeat_after(1, self.sa.ledger.entropy))

    def _take_hint(self) -> None:
        """RFC 7296, 2.21.4: unprotected, so a reason to look, never an order."""
        outstanding = self.outstanding
        if outstanding is not None and not outstanding.hinted:
            outstanding.hinted = True
            self._hurry(outstanding, retry.HURRIED_ATTEMPTS)

    def _hurry(self, outstanding: Outstanding, times: int) -> None:
        """Sends it at once, unless that was just done, and again in quick succession."""
        if outstanding.abandoned or outstanding.hurried or outstanding.attempts >= outstanding.intention.tries:
            return
        outstanding.hurried = times
        if outstanding.tried_at < self.sa.ledger.now:
            outstanding.attempts += 1
            self._transmit(outstanding)
        else:
            self._repeat_after(self.pace.patience)

    def _suspect_silence(self, outstanding: Outstanding) -> None:
        """After a few tries without answer, if nothing else came meanwhile, the peer may have lost its state."""
        if outstanding.hurried:
            outstanding.hurried -= 1
            if not outstanding.hurried:
                self.sa.rivalry.suspect()
                # Where nothing stands yet that could be lost, a set-up begins anew soon.
                outstanding.abandoned = self.sa.life is IkeLife.CONNECTING
        elif outstanding.attempts > retry.HURRIED_ATTEMPTS and self.sa.heard_at < outstanding.sent_at:
            self.sa.rivalry.suspect()

    def _receive_plain(self, outstanding: Outstanding, datagram: Datagram, message: Message) -> None:
        inbound = Inbound(message.payloads, message.octets)
        self.channel.note("<--", message.header, inbound.payloads)
        if not outstanding.run.exchange.legs[1].needs <= inbound.types:
            # Anybody could have sent it: the request stays outstanding, and the intention decides what to believe.
            notify = inbound.error() or next(iter(inbound.notifies()), None)
            if notify is not None:
                outstanding.intention.refused(notify)
            else:
                self.channel.drop(datagram, Trigger.MALFORMED, "neither an answer nor a notification")
            return
        if message.header.responder_spi == NO_SPI:
            self.channel.drop(datagram, Trigger.MALFORMED, "an answer without SPI")
            return
        self.sa.their_spi = message.header.responder_spi
        self._answered(outstanding)
        self._hear(outstanding, inbound)

    def _answered(self, outstanding: Outstanding) -> None:
        self.answered = True
        if outstanding.attempts == 1 or outstanding.run.exchange.legs[1].sealed:
            # Else it is the first message of all, and the peer may not have been there when it was sent.
            self.pace.answered(self.sa.ledger.now - outstanding.sent_at)
        self._settle()

    def _hear(self, outstanding: Outstanding, inbound: Inbound) -> None:
        try:
            outstanding.run.hear(1, inbound)
        except Refusal as refusal:
            outstanding.intention.rejected(refusal)
        else:
            outstanding.intention.succeeded(inbound)

    def _settle(self) -> None:
        """The outstanding request is no longer waited for."""
        self.outstanding = None
        self.sa.ledger.agenda.cancel(self.sa, Deadline.REPEAT_REQUEST)

    def _may_speak(self) -> bool:
        """RFC 7296, 2.2: a message ID is used once; before it would wrap, the IKE SA must have gone."""
        return self._next < _LARGEST_MESSAGE_ID and self.sa.life is not IkeLife.DELETED

    def _begin(self, intention: Intention, run: Run[Any]) -> None:
        sa, exchange = self.sa, run.exchange
        spis = sa.initiator_spi, sa.responder_spi
        header = Header(*spis, exchange.exchange_type, self._next, initiator=sa.began_here, response=False)
        payloads = run.speak(0)
        octets = self.channel.write(header, payloads, sealed=exchange.legs[0].sealed)
        intention.sent(octets)
        self.outstanding = Outstanding(intention, run, header, payloads, octets, sa.ledger.now, sa.ledger.now)
        self._next = MessageId(self._next + 1)
        self._transmit(self.outstanding)

    def _transmit(self, outstanding: Outstanding) -> None:
        outstanding.tried_at = self.sa.ledger.now
        for octets in outstanding.datagrams:
            self.sa.ledger.emit(SendDatagram(self.sa.local, self.sa.remote, octets))
        if outstanding.hurried:
            self._repeat_after(self.pace.patience)
        elif outstanding.abandoned:
            self._repeat_after(_BELIEVE_AFTER)
        else:
            longest = outstanding.intention.longest_wait
            self._repeat_after(retry.repeat_after(outstanding.attempts, self.sa.ledger.entropy, longest))

    def _repeat_after(self, seconds: float) -> None:
        ledger = self.sa.ledger
        ledger.agenda.set(self.sa, Deadline.REPEAT_REQUEST, Instant(ledger.now + seconds))
