"""One exchange under way: legs in turn, the last sender repeats. RFC 2408, 5.1; RFC 2409, 5.

Whoever said something last answers a repetition with the same octets, one for one. Only who may expect an answer
repeats by the clock, and towards a peer that has proved nothing only the initiator: nobody uses us to amplify.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from isthmus.crypto.compare import equal
from isthmus.engine import preference, retry
from isthmus.engine.deadlines import Deadline
from isthmus.engine.exchange import Inbound, Run, Speaker
from isthmus.engine.ikev1.channel import Channel, Unreadable
from isthmus.engine.outputs import SendDatagram
from isthmus.engine.refusal import Refusal
from isthmus.events.ike import PeerSilent
from isthmus.events.message import Retransmitted, Trigger
from isthmus.model.address import Datagram, Endpoint
from isthmus.model.quantities import Instant, MessageId
from isthmus.wire.ikev1.header import Header
from isthmus.wire.ikev1.message import Chain, Message, encode_payloads
from isthmus.wire.ikev1.payloads import Hash

_PHASE_ONE = MessageId(0)

Authenticate = Callable[[int, bytes], bytes]
"""The hash of a leg over everything behind its HASH payload."""


class Outcome(Protocol):
    """Who wants to know how an exchange goes."""

    def hears(self, leg: int, chain: Chain, datagram: Datagram) -> None:
        """A message is about to be read; it is not authentic yet in phase 1."""

    def speaks(self, leg: int) -> None:
        """A message of ours is written and about to leave: what it promises must stand now."""

    def agreed(self) -> None:
        """The last message was sent, or heard."""

    def refused(self, refusal: Refusal) -> None:
        """We cannot accept what the peer said."""

    def unreadable(self, why: str) -> None:
        """Something that was sealed could not be opened."""

    def silent(self) -> None:
        """Nothing came back to any of our tries."""

    def repeats(self) -> None:
        """The last message is about to be said again, as no answer came."""


class Conversation:
    def __init__(
        self,
        channel: Channel,
        run: Run[Any],
        outcome: Outcome,
        message_id: MessageId = _PHASE_ONE,
        *,
        began_here: bool,
        authenticate: Authenticate | None = None,
    ) -> None:
        self.channel = channel
        self.sa = channel.sa
        self.run = run
        self.outcome = outcome
        self.message_id = message_id
        self.began_here = began_here
        self.ended = False
        self._authenticate = authenticate
        """None: phase 1, whose steps prove identity themselves."""
        self._leg = 0
        """The next one, to be said or heard."""
        self._iv: bytes | None = None
        self._said: tuple[bytes, ...] = ()
        self._heard = b""
        self._spoke_last = False
        self._to: tuple[Endpoint, Endpoint] | None = None
        """Where an answer goes: back to where the question came from."""
        self._attempts = 0
        self._abandoned = False

    @property
    def answered(self) -> bool:
        """Whether the peer has said anything that we accepted."""
        return bool(self._heard)

    @property
    def sealed(self) -> bool:
        """Whether the next message is to be a sealed one."""
        legs = self.run.exchange.legs
        return self._leg < len(legs) and legs[self._leg].sealed

    @property
    def iv(self) -> bytes:
        """The last ciphertext block of the exchange, or what stands for it before there is any."""
        if self._iv is None:
            self._iv = self.channel.iv_for(self.message_id) if self._authenticate else self.channel.last_block
        return self._iv

    def begin(self) -> None:
        self._speak()

    def receive(self, datagram: Datagram, message: Message) -> None:
        if message.octets == self._heard:
            # A repetition: our answer was lost. To a last word there is none, or the two ends would never fall silent.
            if self._spoke_last:
                self._transmit(datagram.local, datagram.remote)
        elif message.octets in self._said:
            self.channel.drop(datagram, Trigger.REFLECTED)
        elif self.ended or self._my_turn():
            self.channel.drop(datagram, Trigger.NOT_EXPECTED)
        else:
            self._hear(datagram, message)

    def due(self, what: Deadline) -> None:
        """An answer is overdue."""
        exchange = self.run.exchange.name
        tries = preference.TRIES if self.sa.alternative and not self.answered else retry.MAX_ATTEMPTS
        if self._attempts >= tries or self._abandoned:
            self.end()
            self.sa.ledger.emit(PeerSilent(**self.sa.label(), exchange=exchange, attempts=self._attempts))
            self.outcome.silent()
            return
        self._attempts += 1
        label, number = self.sa.label(), self.message_id
        event = Retransmitted(**label, exchange=exchange, message_id=number, attempt=self._attempts)
        self.sa.ledger.emit(event)
        self.outcome.repeats()
        self.repeat()
        self._expect_answer()

    def repeat(self) -> None:
        """Says its last words again."""
        local, remote = self._to or (self.sa.local, self.sa.remote)
        self._transmit(local, remote)

    def abandon_within(self, seconds: float) -> None:
        """Brings its end nearer: a refusal that proves nothing came."""
        if not self.ended and not self._abandoned:
            self._abandoned = True
            self._repeat_after(seconds)

    def end(self) -> None:
        """Nothing more is expected. Repetitions are still answered while it is kept."""
        self.ended = True
        self.sa.ledger.agenda.forget(self)

    def _hear(self, datagram: Datagram, message: Message) -> None:
        leg = self._leg
        try:
            chain, iv = self._open(datagram, message)
        except Unreadable as why:
            self.channel.drop(datagram, Trigger.INTEGRITY_FAILED, str(why))
            self.outcome.unreadable(str(why))
            return
        if chain is None:
            return
        self.channel.note("<--", message.header, chain.payloads)
        self.outcome.hears(leg, chain, datagram)
        try:
            self.run.hear(leg, Inbound(chain.payloads, chain.octets))
        except Refusal as refusal:
            self.outcome.refused(refusal)
            return
        self._heard, self._iv, self._spoke_last = message.octets, iv, False
        if self._authenticate or message.header.encrypted:
            self.channel.proved(datagram)
        self._to = None if self.began_here else (datagram.local, datagram.remote)
        self._attempts = 0
        self.sa.ledger.agenda.cancel(self, Deadline.REPEAT_REQUEST)
        self._leg += 1
        if self._leg < len(self.run.exchange.legs):
            try:
                self._speak()
            except Refusal as refusal:
                self.outcome.refused(refusal)
        else:
            self.end()
            self.outcome.agreed()

    def _open(self, datagram: Datagram, message: Message) -> tuple[Chain | None, bytes | None]:
        """The payloads, and the IV that follows; none if the message was dropped."""
        header, leg = message.header, self.run.exchange.legs[self._leg]
        if not header.encrypted:
            if self._authenticate or (leg.sealed and self._leg != 2):
                # Aggressive Mode's last message may come in the clear (RFC 2409, 5.4): its hash proves it.
                self.channel.drop(datagram, Trigger.NOT_SEALED)
                return None, None
            return message.chain, self._iv
        if not self.channel.ready:
            self.channel.drop(datagram, Trigger.NOT_EXPECTED, "sealed before there are keys")
            return None, None
        chain, iv = self.channel.open(message, self.iv)
        if self._authenticate:
            first = chain.payloads[0] if chain.payloads else None
            proof = self._authenticate(self._leg, chain.after_first)
            if not isinstance(first, Hash) or not equal(first.data, proof):
                raise Unreadable("its hash is wrong")
        return chain, iv

    def _speak(self) -> None:
        sa, leg = self.sa, self._leg
        legs = self.run.exchange.legs
        payloads = self.run.speak(leg)
        spis = sa.initiator_spi, sa.responder_spi
        header = Header(*spis, self.run.exchange.exchange_type, self.message_id, encrypted=legs[leg].sealed)
        if self._authenticate:
            _, rest = encode_payloads(payloads)
            payloads = [Hash(self._authenticate(leg, rest)), *payloads]
        iv = self.iv if legs[leg].sealed else None
        self._said, following = self.channel.write(header, payloads, iv)
        self._iv = following or self._iv
        self._leg += 1
        self._attempts = 1
        self._spoke_last = True
        self.outcome.speaks(leg)
        self.repeat()
        if self._leg < len(legs):
            if self.began_here or self._authenticate:
                self._expect_answer()
        else:
            self.end()
            self.outcome.agreed()

    def _my_turn(self) -> bool:
        legs = self.run.exchange.legs
        return self._leg >= len(legs) or (legs[self._leg].speaker is Speaker.REQUESTER) is self.began_here

    def _transmit(self, local: Endpoint, remote: Endpoint) -> None:
        for octets in self._said:
            self.sa.ledger.emit(SendDatagram(local, remote, octets))

    def _expect_answer(self) -> None:
        calling = self.began_here and not self.answered and self.sa.peer is not None and not self.sa.alternative
        longest = retry.missed_after(self.sa.peer) if calling and self.sa.peer else retry.LONGEST_REPEAT
        self._repeat_after(retry.repeat_after(self._attempts, self.sa.ledger.entropy, longest))

    def _repeat_after(self, seconds: float) -> None:
        ledger = self.sa.ledger
        ledger.agenda.set(self, Deadline.REPEAT_REQUEST, Instant(ledger.now + seconds))
