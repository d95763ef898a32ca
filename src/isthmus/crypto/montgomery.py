"""Curve25519 and Curve448. RFC 7748; RFC 8031."""

from __future__ import annotations

from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from isthmus.crypto.key_share import Entropy, InvalidPublicValue, check_size
from isthmus.model.algorithms import KeyExchangeMethod

_PrivateKey: TypeAlias = X25519PrivateKey | X448PrivateKey

_X25519_BITS: Final = 255


class MontgomeryShare:
    """A scalar of ours, and its u coordinate."""

    __slots__ = ("_key", "_method", "public")

    def __init__(self, method: KeyExchangeMethod, entropy: Entropy) -> None:
        self._method = method
        self._key = _private_key(method, entropy(method.public))
        self.public = self._key.public_key().public_bytes_raw()

    def agree(self, peer: bytes) -> bytes:
        check_size(self._method, peer, self._method.public)
        try:
            if isinstance(self._key, X25519PrivateKey):
                return self._key.exchange(X25519PublicKey.from_public_bytes(peer))
            return self._key.exchange(X448PublicKey.from_public_bytes(peer))
        except ValueError:
            # RFC 8031, 5, and RFC 7748, 6: a point of small order, known by the zero that comes of it.
            raise InvalidPublicValue(self._method, "a point of small order") from None


def answer(method: KeyExchangeMethod, entropy: Entropy, peer: bytes) -> tuple[bytes, bytes]:
    check_size(method, peer, method.public)
    ours = MontgomeryShare(method, entropy)
    return ours.public, ours.agree(peer)


def _private_key(method: KeyExchangeMethod, octets: bytes) -> _PrivateKey:
    """RFC 7748, 5: any octets are a key; the library clamps them."""
    if method.bits == _X25519_BITS:
        return X25519PrivateKey.from_private_bytes(octets)
    return X448PrivateKey.from_private_bytes(octets)
