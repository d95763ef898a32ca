"""The octets that authentication is over. RFC 7296, 2.15; RFC 9242, 3.3.2."""

from __future__ import annotations

from isthmus.crypto.prf import prf
from isthmus.model.algorithms import Prf
from isthmus.model.identity import Identity
from isthmus.model.secret import Secret
from isthmus.wire.registry import PayloadType

_KEY_PAD = b"Key Pad for IKEv2"
_GENERIC_HEADER = 4


def payload_body(first: PayloadType, payloads: bytes, wanted: PayloadType) -> bytes:
    """A payload's octets after its generic header, as received: never encoded again."""
    kind, at = first, 0
    while kind != PayloadType.NONE and at + _GENERIC_HEADER <= len(payloads):
        length = int.from_bytes(payloads[at + 2 : at + 4], "big")
        if kind == wanted:
            return payloads[at + _GENERIC_HEADER : at + length]
        kind, at = PayloadType(payloads[at]), at + max(length, _GENERIC_HEADER)
    return b""


def identity_body(identity: Identity) -> bytes:
    """An Identification payload of ours after its generic header: type, three octets of zero, value."""
    return bytes([identity.type, 0, 0, 0]) + identity.value


def signed_octets(
    row: Prf, init_message: bytes, nonce_of_the_other: bytes, key: Secret, id_body: bytes, intermediate: bytes
) -> bytes:
    """What one end signs: its IKE_SA_INIT message, the other's nonce, its identity under SK_p, and IntAuth if any."""
    return init_message + nonce_of_the_other + prf(row, key.reveal(), id_body) + intermediate


def shared_key_proof(row: Prf, secret: Secret, octets: bytes) -> bytes:
    """AUTH with a pre-shared key."""
    return prf(row, prf(row, secret.reveal(), _KEY_PAD), octets)
