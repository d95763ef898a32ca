"""ML-KEM as a key exchange: the requester sends an encapsulation key, the replier a ciphertext. FIPS 203."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
    MLKEM1024PrivateKey,
    MLKEM1024PublicKey,
)

from isthmus.crypto.key_share import Entropy, InvalidPublicValue, check_size
from isthmus.model.algorithms import KeyExchangeMethod

_PRIVATE: Final[dict[int, type[MLKEM768PrivateKey | MLKEM1024PrivateKey]]] = {
    768: MLKEM768PrivateKey,
    1024: MLKEM1024PrivateKey,
}
_PUBLIC: Final[dict[int, type[MLKEM768PublicKey | MLKEM1024PublicKey]]] = {
    768: MLKEM768PublicKey,
    1024: MLKEM1024PublicKey,
}
_SEED: Final = 64
"""FIPS 203, 7.1: d | z."""

Encapsulate: TypeAlias = Callable[[KeyExchangeMethod, bytes], tuple[bytes, bytes]]
"""Makes a ciphertext and a shared secret for a peer's encapsulation key, which was checked."""


class KemShare:
    """A decapsulation key of ours, and the encapsulation key to send."""

    __slots__ = ("_key", "_method", "public")

    def __init__(self, method: KeyExchangeMethod, entropy: Entropy) -> None:
        self._method = method
        self._key = _PRIVATE[method.bits].from_seed_bytes(entropy(_SEED))
        self.public = self._key.public_key().public_bytes_raw()

    def agree(self, peer: bytes) -> bytes:
        """The shared secret. A forged ciphertext gives one that nobody else has (FIPS 203, 6.3): AUTH then fails."""
        check_size(self._method, peer, self._method.reply)
        return self._key.decapsulate(peer)


def answer(method: KeyExchangeMethod, peer: bytes, encapsulate: Encapsulate) -> tuple[bytes, bytes]:
    """The ciphertext and the shared secret."""
    check_size(method, peer, method.public)
    try:
        _PUBLIC[method.bits].from_public_bytes(peer)
    except ValueError:
        # FIPS 203, 7.2: the modulus check.
        raise InvalidPublicValue(method, "not an encapsulation key") from None
    return encapsulate(method, peer)


def encapsulate(method: KeyExchangeMethod, peer: bytes) -> tuple[bytes, bytes]:
    """The ciphertext and the shared secret, by the library: it draws its own entropy here and offers no other way."""
    shared, ciphertext = _PUBLIC[method.bits].from_public_bytes(peer).encapsulate()
    return ciphertext, shared
