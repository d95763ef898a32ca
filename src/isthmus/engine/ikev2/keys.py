"""The IKEv2 key schedule. RFC 7296, 2.14, 2.17 and 2.18; RFC 5282; RFC 8784; RFC 9370.

`nonces` is Ni | Nr and `spis` SPIi | SPIr, without headers, in this order whoever asks. `shared` is what the key
exchange agreed on, at its full length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from isthmus.crypto.prf import prf, prf_plus
from isthmus.model.algorithms import Encryption, Integrity, Prf
from isthmus.model.sa_spec import TrafficKeys
from isthmus.model.secret import Secret


@dataclass(frozen=True, slots=True)
class IkeKeys:
    """SK_d and its six companions. An AEAD's salt ends `ei` and `er`, and its `ai` and `ar` are empty."""

    d: Secret
    ai: Secret
    ar: Secret
    ei: Secret
    er: Secret
    pi: Secret
    pr: Secret


@dataclass(frozen=True, slots=True)
class ChildKeys:
    """The keys of a Child SA's two directions, by who sends: requester or replier of the exchange that made it.

    RFC 7296, 2.17 calls them initiator and responder; after a rekey they need not be those of the IKE SA.
    """

    from_requester: TrafficKeys
    from_replier: TrafficKeys


def skeyseed(row: Prf, nonces: bytes, shared: bytes) -> bytes:
    """SKEYSEED of an IKE SA that begins with IKE_SA_INIT."""
    # RFC 7296, 2.14: SKEYSEED = prf(Ni | Nr, g^ir)
    return prf(row, nonces, shared)


def skeyseed_rekey(prf_old: Prf, sk_d_old: bytes, shared: bytes, nonces: bytes, additional: bytes = b"") -> bytes:
    """SKEYSEED of an IKE SA that replaces another; the old one's PRF makes it, the new one's expands it.

    `additional` is SK(1) | ... | SK(n) of RFC 9370's further key exchanges.
    """
    # RFC 7296, 2.18: SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr)
    # RFC 9370, 2.2.4: SKEYSEED = prf(SK_d, SK(0) | Ni | Nr | SK(1) | ... SK(n))
    return prf(prf_old, sk_d_old, shared + nonces + additional)


def intermediate_seed(row: Prf, sk_d: bytes, shared: bytes, nonces: bytes) -> bytes:
    """SKEYSEED(n), after one more key exchange in IKE_INTERMEDIATE; the nonces stay those of IKE_SA_INIT."""
    # RFC 9370, 2.2.2: SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr)
    return prf(row, sk_d, shared + nonces)


def ike_keys(
    row: Prf, seed: bytes, nonces: bytes, spis: bytes, encryption: Encryption, integrity: Integrity | None
) -> IkeKeys:
    """What SKEYSEED grows into."""
    # RFC 7296, 2.14: {SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} = prf+ (SKEYSEED, Ni | Nr | SPIi | SPIr)
    # RFC 5282, 7.1: SK_ei and SK_er include the salt; an AEAD has no SK_ai and SK_ar (length zero).
    ciphering = encryption.key + encryption.salt
    signing = integrity.key if integrity else 0
    sizes = (row.size, signing, signing, ciphering, ciphering, row.size, row.size)
    return IkeKeys(*_cut(prf_plus(row, seed, nonces + spis, sum(sizes)), sizes))


def child_keys(
    row: Prf,
    sk_d: bytes,
    nonces: bytes,
    encryption: Encryption | None,
    integrity: Integrity | None,
    shared: bytes = b"",
    additional: bytes = b"",
) -> ChildKeys:
    """KEYMAT of a Child SA, dealt out. `shared` is empty without a fresh key exchange; `additional` as in a rekey."""
    # RFC 7296, 2.17: KEYMAT = prf+(SK_d, g^ir (new) | Ni | Nr)
    # RFC 9370, 2.2.4: KEYMAT = prf+ (SK_d, SK(0) | Ni | Nr | SK(1) | ... SK(n))
    # All of the requester's direction comes first; within one direction encryption before integrity.
    ciphering = encryption.key + encryption.salt if encryption else 0
    signing = integrity.key if integrity else 0
    sizes = (ciphering, signing, ciphering, signing)
    keymat = prf_plus(row, sk_d, shared + nonces + additional, sum(sizes))
    requester_cipher, requester_sign, replier_cipher, replier_sign = _cut(keymat, sizes)
    return ChildKeys(TrafficKeys(requester_cipher, requester_sign), TrafficKeys(replier_cipher, replier_sign))


def ppk_mix(row: Prf, ppk: Secret, keys: IkeKeys) -> IkeKeys:
    """The keys after a post-quantum pre-shared key was mixed in; those that protect messages stay."""
    # RFC 8784, 3: SK_d = prf+ (PPK, SK_d'), SK_pi = prf+ (PPK, SK_pi'), SK_pr = prf+ (PPK, SK_pr')
    mixed = (Secret(prf_plus(row, ppk.reveal(), key.reveal(), row.size)) for key in (keys.d, keys.pi, keys.pr))
    d, pi, pr = mixed
    return replace(keys, d=d, pi=pi, pr=pr)


def _cut(octets: bytes, sizes: tuple[int, ...]) -> Iterator[Secret]:
    at = 0
    for size in sizes:
        yield Secret(octets[at : at + size])
        at += size
