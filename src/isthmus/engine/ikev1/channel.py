"""Messages of one IKE SA to octets and back, under the IVs that their callers chain. RFC 2409, appendix B."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.crypto.block_cipher import Cbc
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev1.fragments import Reassembly, cut
from isthmus.engine.ikev1.keys import PhaseOneKeys, phase_two_iv
from isthmus.engine.states import IkeLife
from isthmus.events.message import DatagramDropped, MessageExchanged, Trigger
from isthmus.model.address import Datagram
from isthmus.model.algorithms import Encryption, Prf
from isthmus.wire.errors import WireError
from isthmus.wire.ikev1.header import HEADER_SIZE, Header, write_header
from isthmus.wire.ikev1.message import Chain, Message, decode_payloads, encode_payloads
from isthmus.wire.ikev1.notation import notation
from isthmus.wire.ikev1.payloads import Payload


class Unreadable(Exception):
    """What was decrypted makes no sense: another key, or not from the peer at all."""


class Channel:
    """Holds the keys. CBC proves nothing: whoever opens a message verifies its hash before believing it."""

    def __init__(self, sa: IkeSa) -> None:
        self.sa = sa
        self.packet_limit: int | None = None
        """Set once both ends have said that they take fragments."""
        self.pieces = Reassembly()
        self.last_block = b""
        """The last ciphertext block of phase 1: where the IVs of phase 2 come from."""
        self._guesses: tuple[PhaseOneKeys, ...] = ()
        self._cut = 0

    @property
    def ready(self) -> bool:
        return bool(self._guesses)

    @property
    def keys(self) -> PhaseOneKeys:
        """The first, and once a message was opened the only ones."""
        if not self._guesses:
            raise ValueError("no keys are agreed")
        return self._guesses[0]

    @property
    def prf(self) -> Prf:
        suite = self.sa.suite
        if suite is None or suite.prf is None:
            raise ValueError("no suite is agreed")
        return suite.prf

    @property
    def encryption(self) -> Encryption:
        suite = self.sa.suite
        if suite is None or suite.encryption is None:
            raise ValueError("no suite is agreed")
        return suite.encryption

    def protect(self, *guesses: PhaseOneKeys) -> None:
        """From now on messages can be sealed. A responder that does not know yet who speaks has several guesses."""
        self._guesses = guesses

    def wipe(self) -> None:
        self._guesses = ()
        self.pieces.clear()

    def iv_for(self, message_id: int) -> bytes:
        return phase_two_iv(self.prf, self.encryption.block, self.last_block, message_id)

    def write(self, header: Header, payloads: Sequence[Payload], iv: bytes | None) -> tuple[tuple[bytes, ...], bytes]:
        """A message as datagrams, encrypted if there is an IV, and the IV of the next one."""
        self.note("-->", header, payloads)
        first, chain = encode_payloads(payloads)
        if iv is None:
            return self._cut_up(header, write_header(header, first, HEADER_SIZE + len(chain)) + chain), b""
        cipher = Cbc(self.encryption, self.keys.cipher.reveal())
        sealed = cipher.encrypt(iv, chain + bytes(-len(chain) % cipher.block))
        octets = write_header(header, first, HEADER_SIZE + len(sealed)) + sealed
        return self._cut_up(header, octets), sealed[-cipher.block :]

    def open(self, message: Message, iv: bytes) -> tuple[Chain, bytes]:
        """The payloads of an encrypted message, and the IV of the next one. Raises `Unreadable`."""
        body = message.body
        for guess in self._guesses:
            cipher = Cbc(self.encryption, guess.cipher.reveal())
            if not body or len(body) % cipher.block:
                break
            try:
                chain = decode_payloads(message.header.next_payload, cipher.decrypt(iv, body))
            except WireError as error:
                why = error
                continue
            self._guesses = (guess,)
            return chain, body[-cipher.block :]
        else:
            raise Unreadable(f"{why.why} at {why.offset} in {why.field}" if self._guesses else "no keys are agreed")
        raise Unreadable(f"{len(body)} octets are no whole blocks")

    def note(self, direction: str, header: Header, payloads: Sequence[Payload]) -> None:
        """One line of RFC notation for the journal."""
        sa = self.sa
        sa.ledger.emit(MessageExchanged(**sa.label(), direction=direction, notation=notation(header, payloads)))

    def drop(self, datagram: Datagram, trigger: Trigger, detail: str = "") -> None:
        sa = self.sa
        sa.ledger.emit_rarely(DatagramDropped(**sa.label(), remote=datagram.remote, trigger=trigger, detail=detail))

    def proved(self, datagram: Datagram) -> None:
        """An authentic message that is not a repetition: the peer lives, and is where it came from."""
        sa = self.sa
        sa.hear(message=True)
        if sa.life is IkeLife.CONNECTING or not sa.nat.local:
            sa.move(datagram.local, datagram.remote)

    def _cut_up(self, header: Header, octets: bytes) -> tuple[bytes, ...]:
        if self.packet_limit is None:
            return (octets,)
        self._cut = self._cut % 0xFFFF + 1
        return tuple(cut(header, octets, self.packet_limit, self.sa.remote.address.version, self._cut))
