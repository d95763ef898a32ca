"""The key schedule of IKE version 1. RFC 2409, 5, 5.5 and appendix B.

`nonces` is Ni_b | Nr_b and `cookies` CKY-I | CKY-R, in this order whoever asks. `shared` is g^xy at its full length.
"""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.crypto.digest import digest
from isthmus.crypto.prf import prf
from isthmus.model.algorithms import Encryption, Integrity, Prf
from isthmus.model.proposal import Protocol
from isthmus.model.sa_spec import TrafficKeys
from isthmus.model.secret import Secret


@dataclass(frozen=True, slots=True)
class PhaseOneKeys:
    """SKEYID, what it grows into, and the key that messages are encrypted with."""

    skeyid: Secret
    d: Secret
    a: Secret
    e: Secret
    cipher: Secret


def skeyid_by_secret(row: Prf, secret: Secret, nonces: bytes) -> bytes:
    """SKEYID with a pre-shared key: prf(pre-shared-key, Ni_b | Nr_b)."""
    return prf(row, secret.reveal(), nonces)


def skeyid_by_signature(row: Prf, nonces: bytes, shared: bytes) -> bytes:
    """SKEYID with signatures: prf(Ni_b | Nr_b, g^xy)."""
    return prf(row, nonces, shared)


def phase_one_keys(row: Prf, encryption: Encryption, skeyid: bytes, shared: bytes, cookies: bytes) -> PhaseOneKeys:
    """What SKEYID grows into."""
    tail = shared + cookies
    # RFC 2409, 5: SKEYID_d = prf(SKEYID, g^xy | CKY-I | CKY-R | 0), and so on, each with the one before
    d = prf(row, skeyid, tail + b"\x00")
    a = prf(row, skeyid, d + tail + b"\x01")
    e = prf(row, skeyid, a + tail + b"\x02")
    return PhaseOneKeys(Secret(skeyid), Secret(d), Secret(a), Secret(e), Secret(_cipher_key(row, e, encryption.key)))


def phase_one_iv(row: Prf, block: int, public_values: bytes) -> bytes:
    """The IV of the first encrypted message of phase 1; `public_values` is g^xi | g^xr (appendix B)."""
    return digest(row.digest, public_values)[:block]


def phase_two_iv(row: Prf, block: int, last_block: bytes, message_id: int) -> bytes:
    """The IV of the first message under a message ID: from the last ciphertext block of phase 1 (appendix B)."""
    return digest(row.digest, last_block + message_id.to_bytes(4, "big"))[:block]


def child_keys(
    row: Prf,
    d: Secret,
    nonces: bytes,
    protocol: Protocol,
    spi: bytes,
    encryption: Encryption | None,
    integrity: Integrity | None,
    shared: bytes = b"",
) -> TrafficKeys:
    """The keys of one direction; `spi` is the receiver's. `shared` is empty without perfect forward secrecy."""
    # RFC 2409, 5.5: K1 = prf(SKEYID_d, [ g(qm)^xy | ] protocol | SPI | Ni_b | Nr_b), Kn the same behind Kn-1
    ciphering = encryption.key + encryption.salt if encryption else 0
    signing = integrity.key if integrity else 0
    seed = shared + bytes([protocol]) + spi + nonces
    keymat = block = b""
    while len(keymat) < ciphering + signing:
        block = prf(row, d.reveal(), block + seed)
        keymat += block
    return TrafficKeys(Secret(keymat[:ciphering]), Secret(keymat[ciphering : ciphering + signing]))


def _cipher_key(row: Prf, skeyid_e: bytes, size: int) -> bytes:
    # RFC 2409, appendix B: where SKEYID_e is too short, Ka = prf(SKEYID_e, 0) | prf(SKEYID_e, K1) | ...
    if len(skeyid_e) >= size:
        return skeyid_e[:size]
    key, block = b"", b"\x00"
    while len(key) < size:
        block = prf(row, skeyid_e, block)
        key += block
    return key[:size]
