"""Dead peer detection. RFC 3706: it costs nothing while there is traffic, and proves itself by counting."""

from __future__ import annotations

from isthmus.engine import retry
from isthmus.engine.deadlines import Deadline
from isthmus.engine.ikev1.party import Party
from isthmus.events.ike import PeerSilent
from isthmus.model.quantities import Instant
from isthmus.wire.ikev1.payloads import Notify
from isthmus.wire.ikev1.registry import NotifyType

_LARGEST_START = 2**31
_SIZE = 4


class Liveness:
    def __init__(self, party: Party) -> None:
        self.party = party
        self._sequence: int | None = None
        self._heard = -1
        """The peer's last number: each of its questions counts on (RFC 3706, 6.1)."""
        self._asked_at = Instant(0.0)
        self._unanswered = 0
        self._hurried = 0
        """How often the first question since the peer was heard was asked."""
        self._pace = retry.Pace()

    def ask_if_silent(self) -> None:
        """Its turn has come: any authentic packet since the last one is an answer."""
        party, sa = self.party, self.party.sa
        if not sa.established or sa.peer is None:
            return
        now, dpd = sa.ledger.now, party.plan.dpd
        if self._unanswered and sa.heard_at > self._asked_at:
            self._unanswered = 0
        quiet_until = Instant(sa.heard_at + dpd.interval)
        if quiet_until > now:
            self._hurried = 0
            next_look = quiet_until
        elif self._hurried < retry.HURRIED_ATTEMPTS:
            next_look = self._hurry()
        elif self._unanswered < dpd.retry:
            self._unanswered += 1
            self.ask()
            sa.rivalry.suspect()
            next_look = Instant(now + dpd.interval)
        else:
            sa.ledger.emit(PeerSilent(**sa.label(), exchange="R-U-THERE", attempts=self._unanswered))
            party.lose_peer()
            return
        sa.ledger.agenda.set(sa, Deadline.PROBE_PEER, next_look)

    def _hurry(self) -> Instant:
        """The first question is repeated in quick succession; then the peer may have lost its state."""
        sa = self.party.sa
        self._unanswered = 1
        self._hurried += 1
        self.ask()
        return Instant(sa.ledger.now + self._pace.patience)

    def asked(self, notify: Notify) -> None:
        """R-U-THERE: answered with its own number, unless it counts backwards."""
        sequence = self._number(notify)
        if sequence is not None and sequence > self._heard:
            self._heard = sequence
            self.party.inform(Notify(NotifyType.R_U_THERE_ACK, notify.data, spi=self._cookies))

    def answered(self, notify: Notify) -> None:
        """R-U-THERE-ACK: only of the question that is open."""
        if self._number(notify) == self._sequence:
            self._unanswered = 0
            self._pace.answered(self.party.sa.ledger.now - self._asked_at)

    def ask(self) -> None:
        ledger = self.party.sa.ledger
        if self._sequence is None:
            # RFC 3706, 6.2: a random start, with the highest bit clear.
            self._sequence = int.from_bytes(ledger.entropy.octets(_SIZE), "big") % _LARGEST_START
        self._sequence += 1
        self._asked_at = ledger.now
        data = self._sequence.to_bytes(_SIZE, "big")
        self.party.inform(Notify(NotifyType.R_U_THERE, data, spi=self._cookies))

    def _number(self, notify: Notify) -> int | None:
        """What a well-formed notification counts; its SPI names this very IKE SA."""
        if notify.spi != self._cookies or len(notify.data) != _SIZE:
            return None
        return int.from_bytes(notify.data, "big")

    @property
    def _cookies(self) -> bytes:
        return self.party.sa.initiator_spi + self.party.sa.responder_spi
