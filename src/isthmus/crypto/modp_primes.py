"""The MODP primes, by the formula that makes them. RFC 2409, 6.1 and 6.2; RFC 3526."""

from __future__ import annotations

from functools import cache
from typing import Final

GENERATOR: Final = 2

_ADDEND: Final = {
    768: 149686,
    1024: 129093,
    1536: 741804,
    2048: 124476,
    3072: 1690314,
    4096: 240904,
    6144: 929484,
    8192: 4743158,
}


@cache
def prime(bits: int) -> int:
    """2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) pi) + c): a safe prime of which 2 generates the large subgroup."""
    return (1 << bits) - (1 << (bits - 64)) - 1 + (1 << 64) * (_pi(bits - 130) + _ADDEND[bits])


def _pi(bits: int) -> int:
    """floor(2^bits * pi), by Machin's formula: pi = 16 atan(1/5) - 4 atan(1/239)."""
    guard = 64
    one = 1 << (bits + guard)
    return (16 * _atan_of_inverse(5, one) - 4 * _atan_of_inverse(239, one)) >> guard


def _atan_of_inverse(x: int, one: int) -> int:
    power = one // x
    total, divisor, sign = power, 1, 1
    while power:
        power //= x * x
        divisor, sign = divisor + 2, -sign
        total += sign * (power // divisor)
    return total
