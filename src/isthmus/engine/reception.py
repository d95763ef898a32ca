"""Where a datagram goes: to the IKE SA whose SPI it bears, through admission, or nowhere. RFC 7296, 2.6, 2.21."""

from __future__ import annotations

from isthmus.engine.admission import Admission
from isthmus.engine.directory import Speakers
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev1 import dialect as ikev1
from isthmus.engine.ikev2 import dialect as ikev2
from isthmus.engine.ikev2.first_look import first_look
from isthmus.engine.ledger import Ledger
from isthmus.engine.outputs import SendDatagram
from isthmus.engine.upkeep import Upkeep
from isthmus.events.ike import CookieDemanded
from isthmus.events.message import DatagramDropped, Trigger
from isthmus.model.address import Address, Datagram
from isthmus.model.plan import ExchangeMode, PeerPlan, Version
from isthmus.model.quantities import NO_SPI, IkeSpi, Instant, MessageId
from isthmus.wire.errors import WireError
from isthmus.wire.ikev1 import header as header_v1
from isthmus.wire.ikev1 import message as message_v1
from isthmus.wire.ikev2.header import Header, decode_header
from isthmus.wire.ikev2.message import Message, decode, encode
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import ExchangeType, ExchangeTypeV1, NotifyType

_MAJOR = 2
_PHASE_ONE = (ExchangeTypeV1.IDENTITY_PROTECTION, ExchangeTypeV1.AGGRESSIVE)
_HINTS_PER_SECOND = 10
"""Unprotected answers to what we do not know are few, so that nobody uses us against others."""


class Reception:
    """Before a peer has proved anything it costs us little and makes us keep nothing."""

    def __init__(self, ledger: Ledger, admission: Admission, upkeep: Upkeep) -> None:
        self._ledger = ledger
        self._admission = admission
        self._upkeep = upkeep
        self._hints = 0
        self._hints_since = Instant(0.0)
        self.concerned: IkeSa | None = None
        """Whose datagram the last one was."""

    def receive(self, datagram: Datagram) -> None:
        self.concerned = None
        try:
            header = decode_header(datagram.octets)
        except WireError as error:
            self._drop(datagram, Trigger.MALFORMED, f"{error.why} at {error.offset} in {error.field}")
            return
        if header.major == header_v1.MAJOR_VERSION:
            self._receive_version_one(datagram)
        elif header.major != _MAJOR:
            self._receive_other_version(datagram, header)
        elif header.exchange == ExchangeType.IKE_SA_INIT and not header.response:
            self._receive_first(datagram, header)
        else:
            self._receive_for_sa(datagram, header)

    def _receive_for_sa(self, datagram: Datagram, header: Header) -> None:
        our_spi = header.responder_spi if header.initiator else header.initiator_spi
        sa = self._ledger.ike_sas.get(our_spi)
        if sa is None:
            self._drop(datagram, Trigger.UNKNOWN_SPI)
            if not header.response:
                self._hint(datagram, header, NotifyType.INVALID_IKE_SPI)
            return
        if sa.their_spi not in (NO_SPI, header.initiator_spi if header.initiator else header.responder_spi):
            self._drop(datagram, Trigger.UNKNOWN_SPI, "the other SPI does not match")
            return
        self.concerned = sa
        sa.dialect.receive(datagram)

    def _receive_first(self, datagram: Datagram, header: Header) -> None:
        """An IKE_SA_INIT request. It is decoded last: a flood of them must cost next to nothing."""
        if not header.initiator or header.message_id != 0 or header.initiator_spi == NO_SPI:
            self._drop(datagram, Trigger.UNEXPECTED_EXCHANGE)
            return
        key = (datagram.remote.address, header.initiator_spi)
        known = self._ledger.first_requests.get(key)
        if known is not None:
            self.concerned = known
            known.dialect.receive(datagram)
            return
        speakers = self._speakers(datagram, Version.IKEV2)
        refusal = self._refuse_entry(datagram.remote.address, speakers.peers)
        if refusal is not None:
            self._drop(datagram, refusal)
        elif self._proved_or_asked(datagram, header, speakers):
            message = self._decode(datagram)
            if message is not None:
                self._admit(datagram, message, speakers.peers)

    def _refuse_entry(self, remote: Address, candidates: tuple[PeerPlan, ...]) -> Trigger | None:
        if self._upkeep.stopped:
            return Trigger.SHUTTING_DOWN
        if not candidates:
            return Trigger.UNKNOWN_PEER
        if self._admission.full():
            return Trigger.HALF_OPEN_LIMIT
        return Trigger.ADDRESS_LIMIT if self._admission.full_for(remote) else None

    def _proved_or_asked(self, datagram: Datagram, header: Header, speakers: Speakers) -> bool:
        """Whether the initiator may come in: no cookie is due, or it brought one. Else it is asked for one."""
        if not self._admission.crowded() and not speakers.require_cookie:
            return True
        seen = first_look(header, datagram.octets)
        if seen is None:
            self._drop(datagram, Trigger.MALFORMED, "no nonce")
            return False
        if seen.cookie and self._admission.proves(seen.cookie, datagram, header.initiator_spi, seen.nonce):
            return True
        cookie = self._admission.cookie(datagram, header.initiator_spi, seen.nonce)
        self._answer_unprotected(datagram, header, Notify(NotifyType.COOKIE, cookie))
        ledger = self._ledger
        ledger.emit_rarely(CookieDemanded(at=ledger.now, remote=datagram.remote, half_open=self._admission.half_open))
        return False

    def _receive_version_one(self, datagram: Datagram) -> None:
        """RFC 2408, 2.5.3: both cookies name an IKE SA; a first message has only its sender's."""
        try:
            header = header_v1.decode_header(datagram.octets)
        except WireError as error:
            self._drop(datagram, Trigger.MALFORMED, f"{error.why} at {error.offset} in {error.field}")
            return
        sa = self._known_by_cookies(datagram, header)
        if sa is not None:
            self.concerned = sa
            sa.dialect.receive(datagram)
        elif header.responder_spi != NO_SPI:
            self._drop(datagram, Trigger.UNKNOWN_SPI)
        elif header.exchange not in _PHASE_ONE or header.message_id or header.encrypted:
            self._drop(datagram, Trigger.UNEXPECTED_EXCHANGE)
        else:
            self._receive_first_of_version_one(datagram, header)

    def _receive_first_of_version_one(self, datagram: Datagram, header: header_v1.Header) -> None:
        aggressive = header.exchange == ExchangeTypeV1.AGGRESSIVE
        excluded = ExchangeMode.MAIN if aggressive else ExchangeMode.AGGRESSIVE
        speakers = self._speakers(datagram, Version.IKEV1).peers
        candidates = tuple(p for p in speakers if p.ikev1 is not None and p.ikev1.exchange_mode is not excluded)
        refusal = self._refuse_entry(datagram.remote.address, candidates)
        if aggressive and refusal is None and self._admission.crowded():
            # Its first message makes us agree on a key, and version 1 has no cookie to ask for.
            refusal = Trigger.HALF_OPEN_LIMIT
        if refusal is not None:
            self._drop(datagram, refusal)
            return
        try:
            message = message_v1.decode(datagram.octets)
        except WireError as error:
            self._drop(datagram, Trigger.MALFORMED, f"{error.why} at {error.offset} in {error.field}")
            return
        sa = self._let_in(datagram, header.initiator_spi)
        ikev1.begin_as_responder(sa, datagram, message, candidates)

    def _known_by_cookies(self, datagram: Datagram, header: header_v1.Header) -> IkeSa | None:
        ledger, remote = self._ledger, datagram.remote.address
        answering = ledger.ike_sas.get(header.responder_spi)
        if answering is not None and not answering.began_here and answering.their_spi == header.initiator_spi:
            return answering
        asking = ledger.ike_sas.get(header.initiator_spi)
        if asking is not None and asking.began_here and asking.their_spi in (NO_SPI, header.responder_spi):
            return asking
        return ledger.first_requests.get((remote, header.initiator_spi)) if header.responder_spi == NO_SPI else None

    def _speakers(self, datagram: Datagram, version: Version) -> Speakers:
        """The peers that may speak from there, in that version."""
        return self._ledger.directory.speakers(datagram.local.address, datagram.remote.address, version)

    def _admit(self, datagram: Datagram, message: Message, candidates: tuple[PeerPlan, ...]) -> None:
        sa = self._let_in(datagram, message.header.initiator_spi)
        ikev2.begin_as_responder(sa, datagram, message, candidates)

    def _let_in(self, datagram: Datagram, initiator_spi: IkeSpi) -> IkeSa:
        ledger, remote = self._ledger, datagram.remote
        sa = IkeSa(ledger, ledger.fresh_ike_spi(), datagram.local, remote, began_here=False)
        self.concerned = sa
        sa.first_request = (remote.address, initiator_spi)
        ledger.first_requests[sa.first_request] = sa
        self._admission.entered(remote.address)
        sa.released = lambda: self._admission.left(remote.address)
        return sa

    def _receive_other_version(self, datagram: Datagram, header: Header) -> None:
        self._drop(datagram, Trigger.NOT_IKEV2, f"version {header.major}.{header.minor}")
        if header.major > _MAJOR and not header.response:
            # RFC 7296, 2.5: said once for each, and only to those who ask.
            self._hint(datagram, header, NotifyType.INVALID_MAJOR_VERSION)

    def _hint(self, datagram: Datagram, header: Header, notify: NotifyType) -> None:
        """RFC 7296, 2.21.4: an unprotected answer, to configured peers only, and not many."""
        ledger = self._ledger
        if ledger.now - self._hints_since >= 1.0:
            self._hints, self._hints_since = 0, ledger.now
        if self._hints < _HINTS_PER_SECOND and ledger.peers_at(datagram.local.address, datagram.remote.address):
            self._hints += 1
            self._answer_unprotected(datagram, header, Notify(notify))

    def _answer_unprotected(self, datagram: Datagram, request: Header, notify: Notify) -> None:
        answer = Header(
            request.initiator_spi,
            request.responder_spi,
            request.exchange,
            MessageId(request.message_id),
            initiator=not request.initiator,
            response=True,
        )
        self._ledger.emit(SendDatagram(datagram.local, datagram.remote, encode(answer, [notify])))

    def _decode(self, datagram: Datagram) -> Message | None:
        try:
            return decode(datagram.octets)
        except WireError as error:
            self._drop(datagram, Trigger.MALFORMED, f"{error.why} at {error.offset} in {error.field}")
            return None

    def _drop(self, datagram: Datagram, trigger: Trigger, detail: str = "") -> None:
        ledger = self._ledger
        ledger.emit_rarely(DatagramDropped(at=ledger.now, remote=datagram.remote, trigger=trigger, detail=detail))
