"""Diffie-Hellman over finite fields: the MODP groups. RFC 3526; RFC 6989, 2.1.

The one place that imports it from the library, which has deprecated it and moves it to `decrepit`. Python's own `pow`
would do the arithmetic too, but in a time that depends on the exponent.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final

from isthmus.crypto.key_share import Entropy, InvalidPublicValue, check_size
from isthmus.crypto.modp_primes import GENERATOR, prime
from isthmus.model.algorithms import KeyExchangeMethod

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.dh import DHParameterNumbers, DHPrivateNumbers, DHPublicNumbers
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

_UNKNOWN_TO_THE_LIBRARY: Final = (768, 1024)
"""RFC 2409's primes: it proves them prime anew for every key and every peer, in 20 to 40 ms each."""


class ModpShare:
    """An exponent of ours, and the generator raised to it."""

    __slots__ = ("_method", "_raise", "public")

    def __init__(self, method: KeyExchangeMethod, entropy: Entropy) -> None:
        self._method = method
        self._raise = _power(method.bits, _exponent(method.bits, entropy))
        self.public = self._raise(GENERATOR)

    def agree(self, peer: bytes) -> bytes:
        return self._raise(_value(self._method, peer))


def answer(method: KeyExchangeMethod, entropy: Entropy, peer: bytes) -> tuple[bytes, bytes]:
    """Our public value and the shared secret; ours is made only if the peer's is one."""
    _value(method, peer)
    ours = ModpShare(method, entropy)
    return ours.public, ours.agree(peer)


def _value(method: KeyExchangeMethod, octets: bytes) -> int:
    check_size(method, octets, method.public)
    value = int.from_bytes(octets)
    # RFC 6989, 2.1: in a group of a safe prime 1 < y < p - 1 leaves no small subgroup.
    if not 1 < value < prime(method.bits) - 1:
        raise InvalidPublicValue(method, "not between 1 and p - 1")
    return value


def _exponent(bits: int, entropy: Entropy) -> int:
    """Always of the same bit length, so that the time to use it says nothing of its size."""
    size = _EXPONENT_BITS[bits]
    drawn = int.from_bytes(entropy((size + 7) // 8))
    top = 1 << (size - 1)
    return top | drawn % top


def _power(bits: int, exponent: int) -> Callable[[int], bytes]:
    """Raises a group element to the exponent. The result is as long as the prime (RFC 7296, 2.14)."""
    if bits in _UNKNOWN_TO_THE_LIBRARY:
        return lambda element: _ladder(element, exponent, prime(bits)).to_bytes(bits // 8)
    # The library asks for our public value beside the exponent but never reads it: the generator stands in for it.
    # What we would share with a peer whose value is the generator is then our true one.
    group = _parameters(bits)
    key = DHPrivateNumbers(exponent, DHPublicNumbers(GENERATOR, group)).private_key()
    return lambda element: key.exchange(DHPublicNumbers(element, group).public_key())


def _ladder(element: int, exponent: int, modulus: int) -> int:
    """Montgomery's ladder: one product and one square for every bit, whichever it is, unlike `pow`."""
    low, high = 1, element
    for at in reversed(range(exponent.bit_length())):
        # high is always low times the element
        product = low * high % modulus
        if exponent >> at & 1:
            low, high = product, high * high % modulus
        else:
            low, high = low * low % modulus, product
    return low


@cache
def _parameters(bits: int) -> DHParameterNumbers:
    return DHParameterNumbers(prime(bits), GENERATOR)
