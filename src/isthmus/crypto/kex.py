"""Key exchange: MODP, ECP and Montgomery groups, and KEMs. RFC 7296, 2.12 and 3.4."""

from __future__ import annotations

from typing import assert_never

from isthmus.crypto import ecp, kem, modp, montgomery
from isthmus.crypto.kem import Encapsulate
from isthmus.crypto.key_share import Entropy, InvalidPublicValue, KeyShare
from isthmus.model.algorithms import KeFamily, KeyExchangeMethod

__all__ = ["Encapsulate", "Entropy", "InvalidPublicValue", "KeyShare", "answer", "offer"]


def offer(method: KeyExchangeMethod, entropy: Entropy) -> KeyShare:
    """The requester's side."""
    match method.family:
        case KeFamily.MODP:
            return modp.ModpShare(method, entropy)
        case KeFamily.ECP:
            return ecp.EcpShare(method, entropy)
        case KeFamily.CURVE:
            return montgomery.MontgomeryShare(method, entropy)
        case KeFamily.KEM:
            return kem.KemShare(method, entropy)
    assert_never(method.family)


def answer(
    method: KeyExchangeMethod, entropy: Entropy, peer: bytes, encapsulate: Encapsulate = kem.encapsulate
) -> tuple[bytes, bytes]:
    """The replier's side at one go: our value to send (a KEM's ciphertext), and the shared secret.

    InvalidPublicValue before a key of ours is made, where the value itself tells.
    """
    match method.family:
        case KeFamily.MODP:
            return modp.answer(method, entropy, peer)
        case KeFamily.ECP:
            return ecp.answer(method, entropy, peer)
        case KeFamily.CURVE:
            return montgomery.answer(method, entropy, peer)
        case KeFamily.KEM:
            return kem.answer(method, peer, encapsulate)
    assert_never(method.family)
