"""The octets that authentication is over. RFC 7296, 2.15; RFC 9242, 3.3.2."""

from __future__ import annotations

from isthmus.crypto.prf import prf
from isthmus.model.algorithms import Prf
from isthmus.model.identity import Identity
from isthmus.model.secret import Secret
from isthmus.wire.registry import PayloadType

_KEY_PAD = b"Key Pad for IKEv2"
_GENERIC_HEADER = 4
_NEXT_PAYLOAD = 16
_LENGTH = slice(24, 28)


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


def intermediate_octets(outer: bytes, first: PayloadType, inside: bytes) -> bytes:
    """IntAuth_A | IntAuth_P of one message: as if sealing had added nothing to it, and nobody had cut it.

    `outer` is what stood before the Encrypted payload, from the IKE header on; of a fragment the header.
    """
    # RFC 9242, 3.3.2: the lengths of message and payload leave out IV, padding, Pad Length and ICV.
    generic = bytes([first, 0]) + (_GENERIC_HEADER + len(inside)).to_bytes(2)
    octets = bytearray(outer + generic + inside)
    octets[_LENGTH] = len(octets).to_bytes(4)
    if octets[_NEXT_PAYLOAD] == PayloadType.SKF:
        octets[_NEXT_PAYLOAD] = PayloadType.SK
    return bytes(octets)


class IntAuth:
    """What both ends sign of the IKE_INTERMEDIATE exchanges, which come between IKE_SA_INIT and IKE_AUTH."""

    def __init__(self) -> None:
        self._initiator = self._responder = b""
        self.exchanges = 0

    def add(self, row: Prf, sk_pi: Secret, sk_pr: Secret, request: bytes, response: bytes) -> None:
        """One exchange more, with the keys that protected it."""
        # RFC 9242, 3.3.2: IntAuth_iN = prf(SK_piN, IntAuth_iN-1 | IntAuth_iNA | IntAuth_iNP), and so for r
        self._initiator = prf(row, sk_pi.reveal(), self._initiator + request)
        self._responder = prf(row, sk_pr.reveal(), self._responder + response)
        self.exchanges += 1

    @property
    def octets(self) -> bytes:
        """Empty without IKE_INTERMEDIATE."""
        if not self.exchanges:
            return b""
        # IntAuth = IntAuth_iN | IntAuth_rN | IKE_AUTH_MID; IKE_SA_INIT had message ID 0.
        return self._initiator + self._responder + (self.exchanges + 1).to_bytes(4)
