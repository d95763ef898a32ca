"""Diffie-Hellman over finite fields: the MODP groups. RFC 3526; RFC 6989, 2.1.

The one place that imports it from the library, which has deprecated it and moves it to `decrepit`. Python's own `pow`
would do the arithmetic, but in a time that depends on the exponent.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Final

from isthmus.crypto.key_share import Entropy, InvalidPublicValue, check_size
from isthmus.crypto.modp_primes import GENERATOR, prime
from isthmus.model.algorithms import KeyExchangeMethod

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.dh import (
        DHParameterNumbers,
        DHPrivateNumbers,
        DHPublicKey,
        DHPublicNumbers,
    )
else:
    try:
        from cryptography.hazmat.decrepit.asymmetric.dh import DHParameterNumbers, DHPrivateNumbers, DHPublicNumbers
    except ImportError:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from cryptography.hazmat.primitives.asymmetric.dh import (
                DHParameterNumbers,
                DHPrivateNumbers,
                DHPublicNumbers,
            )

_EXPONENT_BITS: Final = {768: 192, 1024: 192, 1536: 240, 2048: 320, 3072: 420, 4096: 480, 6144: 540, 8192: 620}
"""RFC 3526, 8: twice the strength of the group by the larger of two estimates; more would only cost time.

The two groups that it does not list are weaker still than 96 bits.
"""


class ModpShare:
    """An exponent of ours, and the generator raised to it."""

    __slots__ = ("_key", "_method", "public")

    def __init__(self, method: KeyExchangeMethod, entropy: Entropy) -> None:
        self._method = method
        numbers = DHPublicNumbers(GENERATOR, _parameters(method.bits))
        # The library asks for our public value beside the exponent but never reads it. What a peer whose value is
        # the generator would share with us is our public value: so the library computes that too.
        self._key = DHPrivateNumbers(_exponent(method.bits, entropy), numbers).private_key()
        self.public = self._key.exchange(_generator(method.bits))

    def agree(self, peer: bytes) -> bytes:
        return self.agree_with(public_key(self._method, peer))

    def agree_with(self, peer: DHPublicKey) -> bytes:
        # RFC 7296, 2.14: as long as the modulus; the library pads on the left.
        return self._key.exchange(peer)


def answer(method: KeyExchangeMethod, entropy: Entropy, peer: bytes) -> tuple[bytes, bytes]:
    theirs = public_key(method, peer)
    ours = ModpShare(method, entropy)
    return ours.public, ours.agree_with(theirs)


def public_key(method: KeyExchangeMethod, octets: bytes) -> DHPublicKey:
    """The peer's value, checked."""
    check_size(method, octets, method.public)
    value = int.from_bytes(octets)
    # RFC 6989, 2.1: in a group of a safe prime 1 < y < p - 1 leaves no small subgroup.
    if not 1 < value < prime(method.bits) - 1:
        raise InvalidPublicValue(method, "not between 1 and p - 1")
    return DHPublicNumbers(value, _parameters(method.bits)).public_key()


def _exponent(bits: int, entropy: Entropy) -> int:
    """Always of the same bit length, so that the time to use it says nothing of its size."""
    size = _EXPONENT_BITS[bits]
    drawn = int.from_bytes(entropy((size + 7) // 8))
    top = 1 << (size - 1)
    return top | drawn % top


@cache
def _parameters(bits: int) -> DHParameterNumbers:
    return DHParameterNumbers(prime(bits), GENERATOR)


@cache
def _generator(bits: int) -> DHPublicKey:
    return DHPublicNumbers(GENERATOR, _parameters(bits)).public_key()
