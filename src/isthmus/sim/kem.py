"""ML-KEM encapsulation with the randomness handed in (FIPS 203, 6.2), so that the same seed tells the same story.

For the simulation only: it takes no care of what its timing tells. Keys are made and ciphertexts opened by the library
that the gateway uses, so a mistake here shows as a key that the two ends do not share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from isthmus.model.algorithms import KeyExchangeMethod

_Q = 3329
_N = 256
_PARAMETERS = {768: (3, 10, 4), 1024: (4, 11, 5)}
"""FIPS 203, 8: k, du and dv; both etas are 2."""

_REVERSED = [int(f"{i:07b}"[::-1], 2) for i in range(128)]
_ZETAS = [pow(17, i, _Q) for i in _REVERSED]
_GAMMAS = [pow(17, 2 * i + 1, _Q) for i in _REVERSED]
_INVERSE_OF_128 = pow(128, -1, _Q)

_Polynomial = list[int]


def encapsulate(method: KeyExchangeMethod, key: bytes, randomness: bytes) -> tuple[bytes, bytes]:
    """The ciphertext and the shared secret, from 32 random octets. The key was checked before."""
    grown = hashlib.sha3_512(randomness + hashlib.sha3_256(key).digest()).digest()
    return _encrypt(method.bits, key, randomness, grown[32:]), grown[:32]


def _encrypt(bits: int, key: bytes, message: bytes, coins: bytes) -> bytes:
    """FIPS 203, algorithm 14."""
    k, du, dv = _PARAMETERS[bits]
    seed = key[384 * k :]
    t = [_unpack(key[384 * i : 384 * (i + 1)], 12) for i in range(k)]
    small = [_small(coins, n) for n in range(2 * k + 1)]
    y = [_transform(each) for each in small[:k]]
    u = []
    for i in range(k):
        column = [_uniform(seed + bytes((i, j))) for j in range(k)]
        u.append(_sum(_back(_inner(column, y)), small[k + i]))
    halves = [bit * ((_Q + 1) // 2) for bit in _unpack(message, 1)]
    v = _sum(_back(_inner(t, y)), small[2 * k], halves)
    return b"".join(_pack(_compress(each, du), du) for each in u) + _pack(_compress(v, dv), dv)


def _uniform(seed: bytes) -> _Polynomial:
    """FIPS 203, algorithm 7: evenly distributed, already transformed."""
    size = 840
    while True:
        found: _Polynomial = []
        octets = hashlib.shake_128(seed).digest(size)
        for a, b, c in zip(octets[::3], octets[1::3], octets[2::3], strict=True):
            low, high = a | (b & 15) << 8, b >> 4 | c << 4
            if low < _Q:
                found.append(low)
            if high < _Q:
                found.append(high)
        if len(found) >= _N:
            return found[:_N]
        size *= 2


def _small(coins: bytes, number: int) -> _Polynomial:
    """FIPS 203, algorithm 8 with eta 2, from the stream of one number."""
    halves = _nibbles(hashlib.shake_256(coins + bytes((number,))).digest(128))
    return [((n & 1) + (n >> 1 & 1) - (n >> 2 & 1) - (n >> 3)) % _Q for n in halves]


def _nibbles(octets: bytes) -> Iterator[int]:
    for octet in octets:
        yield octet & 15
        yield octet >> 4


def _transform(polynomial: _Polynomial) -> _Polynomial:
    """The number-theoretic transform. FIPS 203, algorithm 9."""
    f, at, length = polynomial.copy(), 0, 128
    while length >= 2:
        for start in range(0, _N, 2 * length):
            at += 1
            zeta = _ZETAS[at]
            for j in range(start, start + length):
                t = zeta * f[j + length] % _Q
                f[j], f[j + length] = f[j] + t, f[j] - t
        length //= 2
    return [each % _Q for each in f]


def _back(polynomial: _Polynomial) -> _Polynomial:
    """Its inverse. FIPS 203, algorithm 10."""
    f, at, length = polynomial.copy(), 127, 2
    while length <= 128:
        for start in range(0, _N, 2 * length):
            zeta = _ZETAS[at]
            at -= 1
            for j in range(start, start + length):
                t, other = f[j], f[j + length]
                f[j], f[j + length] = t + other, zeta * (other - t) % _Q
        length *= 2
    return [each * _INVERSE_OF_128 % _Q for each in f]


def _inner(left: list[_Polynomial], right: list[_Polynomial]) -> _Polynomial:
    """The sum of the products of transformed polynomials. FIPS 203, algorithms 11 and 12."""
    total = [0] * _N
    for f, g in zip(left, right, strict=True):
        for i, gamma in enumerate(_GAMMAS):
            a, b, c, d = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
            total[2 * i] += a * c + b * d % _Q * gamma
            total[2 * i + 1] += a * d + b * c
    return [each % _Q for each in total]


def _sum(*polynomials: _Polynomial) -> _Polynomial:
    return [sum(each) % _Q for each in zip(*polynomials, strict=True)]


def _compress(polynomial: _Polynomial, bits: int) -> _Polynomial:
    """FIPS 203, 4.2.1: to the nearest of 2^bits steps."""
    return [((each << bits) + _Q // 2) // _Q & (1 << bits) - 1 for each in polynomial]


def _pack(polynomial: _Polynomial, bits: int) -> bytes:
    """FIPS 203, algorithm 5."""
    whole = 0
    for each in reversed(polynomial):
        whole = whole << bits | each
    return whole.to_bytes(_N * bits // 8, "little")


def _unpack(octets: bytes, bits: int) -> _Polynomial:
    """FIPS 203, algorithm 6."""
    whole, mask = int.from_bytes(octets, "little"), (1 << bits) - 1
    return [whole >> at & mask for at in range(0, _N * bits, bits)]
