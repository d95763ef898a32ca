"""The protected channel of one IKE SA: messages to octets and back, and what is said of each. RFC 7296, 3.14."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.crypto.protection import IntegrityFailure
from isthmus.engine.exchange import Inbound
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.fragments import BadFragment, Reassembly
from isthmus.engine.ikev2.keys import IkeKeys
from isthmus.engine.ikev2.sealing import FragmentLimit, Opened, Seal, before_sealed, plain
from isthmus.engine.states import IkeLife
from isthmus.events.message import CutSmaller, DatagramDropped, MessageExchanged, Trigger
from isthmus.model.address import Datagram
from isthmus.model.quantities import MessageId
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.message import Message, decode_payloads
from isthmus.wire.ikev2.notation import notation
from isthmus.wire.ikev2.payloads import Encrypted, EncryptedFragment, Payload
from isthmus.wire.registry import ExchangeType, NotifyType


class Malformed(Exception):
    """An authentic message that makes no sense."""


class Channel:
    """Holds the keys. Nothing that it opens is believed before its ICV was verified."""

    def __init__(self, sa: IkeSa) -> None:
        self.sa = sa
        self.keys: IkeKeys | None = None
        self.fragment_limit: FragmentLimit | None = None
        """Set once both ends have said that they take fragments."""
        self._seal: Seal | None = None
        self._before: tuple[MessageId, Seal | None] | None = None
        """What IKE_INTERMEDIATE was sealed with, up to a message ID, while its answer may have to be repeated."""
        self._pieces = {False: Reassembly(), True: Reassembly()}
        """Of requests and of responses: both count message IDs of their own."""

    @property
    def ready(self) -> bool:
        return self._seal is not None

    def protect(self, keys: IkeKeys) -> None:
        """From now on messages are sealed with these keys."""
        if self.sa.suite is None:
            raise ValueError("keys without a suite")
        self.keys = keys
        self._seal = Seal(self.sa.suite, keys, self.sa.ledger.entropy, initiator=self.sa.began_here)

    def renew(self, keys: IkeKeys, after: MessageId) -> None:
        """RFC 9370, 2.2.2: the same with new keys; what repeats an exchange up to `after` is sealed as it was."""
        self._before = after, self._seal
        self.protect(keys)

    def settle(self, keys: IkeKeys) -> None:
        """The IKE SA stands. What protects messages is as before; the other keys may have changed at last."""
        self.keys, self._before = keys, None

    def wipe(self) -> None:
        self.keys = self._seal = self._before = None
        for pieces in self._pieces.values():
            pieces.clear()

    def write(self, header: Header, payloads: Sequence[Payload], *, sealed: bool) -> tuple[bytes, ...]:
        """A message as one datagram, or as fragments."""
        self.note("-->", header, payloads)
        if not sealed:
            return plain(header, payloads)
        seal = self._seal_of(header)
        if seal is None:
            raise ValueError("a sealed message before keys")
        return seal.seal(header, payloads, self.fragment_limit)

    def write_smaller(self, header: Header, payloads: Sequence[Payload], sent: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """RFC 7383, 2.5.2: a message once more, in smaller pieces if it was larger than what arrives everywhere."""
        limit = self.fragment_limit.smaller() if self.fragment_limit is not None else None
        seal = self._seal_of(header)
        if limit is None or seal is None or all(limit.admits(datagram) for datagram in sent):
            return sent
        self.fragment_limit = limit
        pieces = seal.seal(header, payloads, limit, more_than=len(sent))
        sa, exchange = self.sa, header.exchange.name
        sa.ledger.emit(CutSmaller(**sa.label(), exchange=exchange, fragments=len(pieces), size=limit.size))
        return pieces

    def authentic(self, message: Message) -> bool:
        """Whether the peer made this message or fragment, of which nothing else is wanted."""
        seal = self._seal_of(message.header)
        try:
            return seal is not None and bool(seal.open(message))
        except (IntegrityFailure, WireError):
            return False

    def open(self, datagram: Datagram, message: Message) -> Inbound | None:
        """The inside of a sealed message; None if it was dropped, or is a fragment of which more must come.

        Raises `Malformed` for what is authentic and makes no sense.
        """
        payload = message.payloads[-1] if message.payloads else None
        seal = self._seal_of(message.header)
        if seal is None or not isinstance(payload, Encrypted | EncryptedFragment):
            self.drop(datagram, Trigger.NOT_SEALED)
            return None
        try:
            opened: Opened | None = seal.open(message)
            if opened is not None and isinstance(payload, EncryptedFragment):
                opened = self._assemble(message, payload, opened)
            if opened is None:
                return None
            inside = decode_payloads(opened.first, opened.octets)
            inbound = Inbound(inside, opened.octets, opened.first, before_sealed(message.octets, payload))
        except IntegrityFailure:
            self.drop(datagram, Trigger.INTEGRITY_FAILED)
            return None
        except BadFragment as bad:
            self.drop(datagram, Trigger.BAD_FRAGMENT, str(bad))
            return None
        except WireError as error:
            self.drop(datagram, Trigger.MALFORMED, f"{error.why} at {error.offset} in {error.field}")
            raise Malformed(error.why) from None
        inbound.path = datagram.local, datagram.remote
        self._proved(datagram, inbound)
        return inbound

    @property
    def pieces(self) -> int:
        """How many there are of a response that is not whole yet."""
        return len(self._pieces[True])

    def _seal_of(self, header: Header) -> Seal | None:
        if self._before is not None and header.exchange == ExchangeType.IKE_INTERMEDIATE:
            until, seal = self._before
            return seal if header.message_id <= until else self._seal
        return self._seal

    def note(self, direction: str, header: Header, payloads: Sequence[Payload]) -> None:
        """One line of RFC notation for the journal."""
        sa = self.sa
        sa.ledger.emit(MessageExchanged(**sa.label(), direction=direction, notation=notation(payloads, header)))

    def drop(self, datagram: Datagram, trigger: Trigger, detail: str = "") -> None:
        sa = self.sa
        sa.ledger.emit_rarely(DatagramDropped(**sa.label(), remote=datagram.remote, trigger=trigger, detail=detail))

    def _assemble(self, message: Message, fragment: EncryptedFragment, opened: Opened) -> Opened | None:
        whole = self._pieces[message.header.response].add(message.header.message_id, fragment, opened)
        if self.fragment_limit is not None and fragment.number < fragment.total:
            # Where the peer cuts smaller than we would, it may know why; every fragment but the last is full.
            self.fragment_limit = self.fragment_limit.at_most(self.fragment_limit.packet(message.octets))
        return whole

    def _proved(self, datagram: Datagram, inbound: Inbound) -> None:
        """An authentic message, newer than any before: the peer lives, and is where it came from."""
        sa = self.sa
        sa.hear(message=True)
        if sa.life is IkeLife.CONNECTING:
            sa.move(datagram.local, datagram.remote)  # so it floats to port 4500
        elif sa.follows and inbound.notify(NotifyType.UPDATE_SA_ADDRESSES) is None:
            sa.move(sa.local if sa.mobility.agreed else datagram.local, datagram.remote)
