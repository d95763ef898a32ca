"""Tell which hashes we take under a signature, so that a peer with a certificate may use them. RFC 7427, 4."""

from __future__ import annotations

from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.wire.registry import HashAlgorithm, NotifyType

_TAKEN = (HashAlgorithm.SHA2_256, HashAlgorithm.SHA2_384, HashAlgorithm.SHA2_512, HashAlgorithm.IDENTITY)
"""No SHA-1: RFC 8247, 4.2 forbids it here."""
_SIZE = 2


class TellSignatureHashes(Step[Handshake]):
    """The responder tells only whoever has told it."""

    def write(self, leg: int, draft: Draft) -> None:
        if leg == 0 or self.context.peer_hashes:
            data = b"".join(number.to_bytes(_SIZE, "big") for number in _TAKEN)
            draft.notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, data)

    def read(self, leg: int, message: Inbound) -> None:
        told = message.notify(NotifyType.SIGNATURE_HASH_ALGORITHMS)
        data = told.data if told is not None else b""
        numbers = (int.from_bytes(data[at : at + _SIZE], "big") for at in range(0, len(data) - 1, _SIZE))
        self.context.peer_hashes = frozenset(map(HashAlgorithm.of, numbers))
