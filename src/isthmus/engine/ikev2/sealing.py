"""The Encrypted payload: sealing what we send, opening what we receive. RFC 7296, 3.14; RFC 7383, 2.5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from isthmus.crypto.protection import IntegrityFailure, Protection, protection
from isthmus.engine.ikev2.keys import IkeKeys
from isthmus.engine.surroundings import Entropy
from isthmus.model.proposal import Suite
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.encrypted import MAX_FRAGMENTS
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.message import Message, encode, encode_payloads, sealed_prefix
from isthmus.wire.ikev2.payloads import Encrypted, EncryptedFragment, Payload
from isthmus.wire.registry import PayloadType

_IP_AND_UDP = {4: 20 + 8, 6: 40 + 8}
_SMALLEST = {4: 576, 6: 1280}
"""RFC 7383, 2.5.1: IP packets of this size arrive nearly everywhere."""
_MARKER = 4
_HEADER = 28
_SK_HEADER = 4
_SKF_HEADER = 8


@dataclass(frozen=True, slots=True)
class Opened:
    """The inside of an Encrypted payload."""

    first: PayloadType
    octets: bytes


@dataclass(frozen=True, slots=True)
class FragmentLimit:
    """The largest IP packet that a message of ours may become, and the IP version it travels in."""

    size: int
    ip_version: int

    def inner(self, guard: Protection) -> int:
        """How many octets of payloads fit into one fragment."""
        room = self.size - _IP_AND_UDP[self.ip_version] - _MARKER - _HEADER - _SKF_HEADER - guard.iv - guard.icv
        return max(room - room % guard.block - 1, 64)

    def admits(self, datagram: bytes) -> bool:
        """Whether a message of ours stays within the limit as it is."""
        return self.packet(datagram) <= self.size

    def smaller(self) -> FragmentLimit:
        """What to try where this is too large for the path."""
        return self.at_most(_SMALLEST[self.ip_version])

    def at_most(self, size: int) -> FragmentLimit:
        """Not more than this, and never smaller than makes sense."""
        return replace(self, size=min(self.size, max(size, _SMALLEST[self.ip_version])))

    def packet(self, datagram: bytes) -> int:
        """The size of the IP packet around a datagram."""
        return len(datagram) + _IP_AND_UDP[self.ip_version] + _MARKER


class Seal:
    """The two directions of an IKE SA's protection."""

    def __init__(self, suite: Suite, keys: IkeKeys, entropy: Entropy, *, initiator: bool) -> None:
        if suite.encryption is None:
            raise ValueError("an IKE SA has a cipher")
        ei = (suite.encryption, keys.ei.reveal(), suite.integrity, keys.ai.reveal())
        er = (suite.encryption, keys.er.reveal(), suite.integrity, keys.ar.reveal())
        self._out = protection(*(ei if initiator else er))
        self._in = protection(*(er if initiator else ei))
        self._entropy = entropy

        # RFC 5116, 3.1 and RFC 7296, 3.14: a nonce never comes twice, so AEADs count; CBC needs what nobody can guess.
        self._counter = 0 if suite.encryption.aead else None

    def seal(
        self, header: Header, payloads: Sequence[Payload], limit: FragmentLimit | None, *, more_than: int = 0
    ) -> tuple[bytes, ...]:
        """The message as datagrams: one, or fragments where `limit` allows them and it is too large.

        `more_than` is how many fragments it was cut into before: RFC 7383, 2.5.2 wants more, so that they cannot mix.
        """
        first, inside = encode_payloads(payloads)
        if limit is None or len(inside) <= limit.inner(self._out):
            return (self._seal(header, first, inside, None),)
        size = min(limit.inner(self._out), len(inside) // (more_than + 1))
        size = max(size, -(-len(inside) // MAX_FRAGMENTS))
        parts = [inside[i : i + size] for i in range(0, len(inside), size)]
        # RFC 7383, 2.5: only the first fragment says which payload comes first.
        return tuple(
            self._seal(header, first if n == 1 else PayloadType.NONE, part, (n, len(parts)))
            for n, part in enumerate(parts, 1)
        )

    def open(self, message: Message) -> Opened:
        """The inside of a message or fragment. Raises `IntegrityFailure`, or `WireError` for impossible padding."""
        payload = message.payloads[-1]
        if not isinstance(payload, Encrypted | EncryptedFragment):
            raise IntegrityFailure
        associated = message.octets[: len(message.octets) - len(payload.body)]
        padded = self._in.open(associated, payload.body)
        if not padded or padded[-1] >= len(padded):
            raise WireError("padding longer than the plaintext", len(associated), "pad_length")
        return Opened(payload.first, padded[: len(padded) - padded[-1] - 1])

    def _seal(self, header: Header, first: PayloadType, inside: bytes, fragment: tuple[int, int] | None) -> bytes:
        guard = self._out
        pad = -(len(inside) + 1) % guard.block
        plaintext = inside + bytes(pad) + bytes([pad])
        prefix = sealed_prefix(header, first, guard.iv + len(plaintext) + guard.icv, fragment)
        return prefix + guard.seal(prefix, self._iv(), plaintext)

    def _iv(self) -> bytes:
        if self._counter is None:
            return self._entropy.octets(self._out.iv)
        self._counter += 1
        return self._counter.to_bytes(self._out.iv, "big")


def before_sealed(octets: bytes, payload: Encrypted | EncryptedFragment) -> bytes:
    """What stands before the generic header of a message's Encrypted payload."""
    size = _SK_HEADER if isinstance(payload, Encrypted) else _SKF_HEADER
    return octets[: len(octets) - len(payload.body) - size]


def plain(header: Header, payloads: Sequence[Payload]) -> tuple[bytes, ...]:
    """A message that is not sealed: IKE_SA_INIT."""
    return (encode(header, payloads),)
