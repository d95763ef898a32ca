"""The MODP primes against independent copies."""

from __future__ import annotations

import hashlib

import pytest

from isthmus.crypto.modp_primes import prime

RFC_2409_GROUP_2 = """
    FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD
    EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED
    EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE65381 FFFFFFFF FFFFFFFF
"""
RFC_2409_GROUP_1 = """
    FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD
    EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A63A3620 FFFFFFFF FFFFFFFF
"""
OPENSSL = {
    1536: "64fcc83ec403930bf18393dbc883ccaa1fbb08ac876f77f7aa99748ca945019b",
    2048: "d66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e",
    3072: "48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c",
    4096: "4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33",
    6144: "d1bfe6d0925ce7e4da262b62861514a7755e35831e429f343e7b864848657efd",
    8192: "39ab4feab950a3128fb71accb9fc3965d857012e081998a85996e3ea8b3c3bcf",
}
"""SHA-256 of what OpenSSL 3.0 writes for `-pkeyopt group:modp_N`."""


@pytest.mark.parametrize(("bits", "text"), [(768, RFC_2409_GROUP_1), (1024, RFC_2409_GROUP_2)])
def test_the_oakley_primes_are_those_of_rfc_2409(bits: int, text: str) -> None:
    assert prime(bits) == int("".join(text.split()), 16)


@pytest.mark.parametrize(("bits", "digest"), OPENSSL.items())
def test_the_primes_of_rfc_3526_are_those_that_openssl_has(bits: int, digest: str) -> None:
    assert hashlib.sha256(prime(bits).to_bytes(bits // 8)).hexdigest() == digest


@pytest.mark.parametrize("bits", [768, 1024, *OPENSSL])
def test_two_generates_the_subgroup_of_prime_order(bits: int) -> None:
    # p = 7 mod 8 makes 2 a square: no bit of an exponent shows in whether its power is one.
    assert prime(bits) % 8 == 7
