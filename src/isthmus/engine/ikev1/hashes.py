"""The keyed hashes that authenticate exchanges. RFC 2409, 5, 5.5 and 5.7. All are over octets as received or sent."""

from __future__ import annotations

from isthmus.crypto.prf import prf
from isthmus.model.algorithms import Prf
from isthmus.model.secret import Secret


def identity_hash(
    row: Prf,
    skeyid: Secret,
    own_public: bytes,
    other_public: bytes,
    own_cookie: bytes,
    other_cookie: bytes,
    tail: bytes,
) -> bytes:
    """HASH_I or HASH_R, by whose values stand first. `tail` is SAi_b | ID_b: its sender's identity."""
    return prf(row, skeyid.reveal(), own_public + other_public + own_cookie + other_cookie + tail)


def request_hash(row: Prf, a: Secret, message_id: int, rest: bytes) -> bytes:
    """HASH(1): begins Quick Mode, and guards an Informational message. `rest` is all behind the HASH payload."""
    return prf(row, a.reveal(), _number(message_id) + rest)


def answer_hash(row: Prf, a: Secret, message_id: int, initiator_nonce: bytes, rest: bytes) -> bytes:
    """HASH(2): with the initiator's nonce it proves that the answer is fresh."""
    return prf(row, a.reveal(), _number(message_id) + initiator_nonce + rest)


def confirmation_hash(row: Prf, a: Secret, message_id: int, nonces: bytes) -> bytes:
    """HASH(3): the initiator was there now."""
    return prf(row, a.reveal(), b"\x00" + _number(message_id) + nonces)


def _number(message_id: int) -> bytes:
    return message_id.to_bytes(4, "big")
