"""What we answer: each request once, and the same octets again if it is repeated. RFC 7296, 2.1 and 2.2."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isthmus.engine.exchange import Inbound
from isthmus.engine.ikev2.channel import Channel, Malformed
from isthmus.engine.ikev2.intention import Answer
from isthmus.engine.outputs import SendDatagram
from isthmus.engine.refusal import Refusal, malformed
from isthmus.events.message import Trigger, UnknownPayloadSkipped
from isthmus.model.address import Datagram
from isthmus.model.quantities import NO_SPI, MessageId
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.message import Message
from isthmus.wire.ikev2.payloads import EncryptedFragment, Notify, Payload, UnknownPayload
from isthmus.wire.registry import ExchangeType, NotifyType

_CUT_SMALLER_AFTER = 2
"""Repetitions that may be chance; what repeats a request more often does not hear the response."""

Answering = Callable[[Message, Inbound], Answer]
"""Finds who answers a request; raises `Refusal` where nobody does."""


class Replies:
    """The peer's half of the window."""

    def __init__(self, channel: Channel, answering: Answering) -> None:
        self.channel = channel
        self.sa = channel.sa
        self._answering = answering
        self._expected = MessageId(0)
        self._request = self._opening = b""
        """The datagram that completed the last request, and the first fragment of it."""
        self._response: tuple[bytes, ...] = ()
        self._repeats = 0
        """How often the last request came again."""
        self._said: tuple[Header, Sequence[Payload]] | None = None
        """What the response holds."""

    def receive(self, datagram: Datagram, message: Message) -> None:
        """A request under the protection of the IKE SA."""
        header = message.header
        if header.message_id == self._expected - 1 and self._is_repeated(message):
            self._repeat(datagram)
        elif header.message_id != self._expected:
            self.channel.drop(datagram, Trigger.OUTSIDE_WINDOW, f"message ID {header.message_id}")
        elif header.exchange == ExchangeType.IKE_SA_INIT or not self.channel.ready:
            self.channel.drop(datagram, Trigger.UNEXPECTED_EXCHANGE)
        else:
            if _is_opening(message):
                self._opening = message.octets
            try:
                inbound = self.channel.open(datagram, message)
            except Malformed as nonsense:
                self._refuse(datagram, message, malformed(str(nonsense)), None)
                return
            if inbound is not None:
                self._answer(datagram, message, inbound)

    def receive_first(self, datagram: Datagram, message: Message) -> None:
        """The IKE_SA_INIT request that admission has let in."""
        self._answer(datagram, message, Inbound(message.payloads))

    def _answer(self, datagram: Datagram, message: Message, inbound: Inbound) -> None:
        self.channel.note("<--", message.header, inbound.payloads)
        for payload in inbound.all(UnknownPayload):
            if not payload.critical:
                self.sa.ledger.emit(UnknownPayloadSkipped(**self.sa.label(), type=int(payload.kind)))
        answer: Answer | None = None
        try:
            answer = self._answering(message, inbound)
            run = answer.begin()
            run.hear(0, inbound)
            payloads = run.speak(1)
        except Refusal as refusal:
            self._refuse(datagram, message, refusal, answer)
        else:
            self._respond(datagram, message, payloads, answer)

    def _refuse(self, datagram: Datagram, message: Message, refusal: Refusal, answer: Answer | None) -> None:
        self._respond(datagram, message, [Notify(refusal.notify, refusal.data)])
        if answer is not None:
            answer.refused(refusal)
        if refusal.notify == NotifyType.INVALID_SYNTAX and self.channel.ready:
            # RFC 7296, 2.21.3: said to an authentic peer it is fatal at both ends, without a Delete.
            self.sa.delete_silently(f"its peer makes no sense: {refusal.report.detail}")

    def _respond(
        self, datagram: Datagram, message: Message, payloads: Sequence[Payload], answer: Answer | None = None
    ) -> None:
        sa, request = self.sa, message.header
        sealed = request.exchange != ExchangeType.IKE_SA_INIT
        # RFC 7296, 2.6: where IKE_SA_INIT comes to nothing, there is no responder SPI.
        responder_spi = sa.responder_spi if sealed or answer is not None else NO_SPI
        spis = sa.initiator_spi, responder_spi
        header = Header(*spis, request.exchange, request.message_id, initiator=sa.began_here, response=True)
        self._expected = MessageId(request.message_id + 1)
        self._request, self._response = message.octets, self.channel.write(header, payloads, sealed=sealed)
        self._repeats, self._said = 0, (header, payloads) if sealed else None
        if answer is not None:
            answer.agreed(self._response)
        self._send(datagram)

    def _is_repeated(self, message: Message) -> bool:
        """RFC 7383, 2.6.1: of a request in fragments only the first brings the response again, however it is cut."""
        if message.payloads and isinstance(message.payloads[-1], EncryptedFragment):
            return _is_opening(message) and (message.octets == self._opening or self.channel.authentic(message))
        return message.octets == self._request

    def _repeat(self, datagram: Datagram) -> None:
        """The same octets again; in smaller pieces once it seems that they do not arrive (RFC 7383, 2.5.2)."""
        self._repeats += 1
        if self._repeats == _CUT_SMALLER_AFTER and self._said is not None:
            self._response = self.channel.write_smaller(*self._said, self._response)
        self._send(datagram)

    def _send(self, datagram: Datagram) -> None:
        for octets in self._response:
            self.sa.ledger.emit(SendDatagram(datagram.local, datagram.remote, octets))


def _is_opening(message: Message) -> bool:
    last = message.payloads[-1] if message.payloads else None
    return isinstance(last, EncryptedFragment) and last.number == 1
