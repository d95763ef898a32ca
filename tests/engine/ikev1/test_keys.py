"""The IKE version 1 key schedule, by NIST's answers and by the RFC's formulas written out."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from isthmus.engine.ikev1.keys import (
    child_keys,
    phase_one_iv,
    phase_one_keys,
    phase_two_iv,
    skeyid_by_secret,
    skeyid_by_signature,
)
from isthmus.model.algorithms import ENCRYPTION_BY_NAME, INTEGRITY_BY_NAME, PRF_BY_NAME
from isthmus.model.proposal import Protocol
from isthmus.model.secret import Secret
from tests.vectors import fax

PRFS = {
    "SHA-1": PRF_BY_NAME["sha1"],
    "SHA-256": PRF_BY_NAME["sha256"],
    "SHA-384": PRF_BY_NAME["sha384"],
    "SHA-512": PRF_BY_NAME["sha512"],
}
AES128, AES256 = ENCRYPTION_BY_NAME["aes-128-cbc"], ENCRYPTION_BY_NAME["aes-256-cbc"]


def check(case: fax.Case) -> None:
    row = PRFS[case.labels[0]]
    nonces, cookies = case["Ni"] + case["Nr"], case["CKY_I"] + case["CKY_R"]
    if "pre-shared-key" in case.values:
        skeyid = skeyid_by_secret(row, Secret(case["pre-shared-key"]), nonces)
    else:
        skeyid = skeyid_by_signature(row, nonces, case["g^xy"])
    keys = phase_one_keys(row, AES128, skeyid, case["g^xy"], cookies)
    assert keys.skeyid.reveal() == case["SKEYID"]
    assert keys.d.reveal() == case["SKEYID_d"]
    assert keys.a.reveal() == case["SKEYID_a"]
    assert keys.e.reveal() == case["SKEYID_e"]
    assert keys.cipher.reveal() == case["SKEYID_e"][:16]


@pytest.mark.parametrize("name", ["ikev1_psk.fax", "ikev1_dsa.fax"])
def test_a_handful_of_nist_answers(name: str) -> None:
    cases = list(fax.read(fax.HERE / name))
    assert {case.labels[0] for case in cases} == set(PRFS)
    for case in cases:
        check(case)


@pytest.mark.parametrize(("name", "cases"), [("ikev1_psk.fax.gz", 1700), ("ikev1_dsa.fax.gz", 1700)])
def test_the_complete_nist_set(name: str, cases: int) -> None:
    path = fax.complete_set(name)
    if path is None:
        pytest.skip(f"{name} is neither in $ISTHMUS_VECTORS nor in ../shared/vectors")
    count = 0
    for case in fax.read(path):
        check(case)
        count += 1
    assert count == cases


def test_a_key_longer_than_skeyid_e_is_stretched() -> None:
    # RFC 2409, appendix B: Ka = K1 | K2, K1 = prf(SKEYID_e, 0), K2 = prf(SKEYID_e, K1)
    keys = phase_one_keys(PRFS["SHA-1"], AES256, b"skeyid", b"shared", b"cookies")
    e = keys.e.reveal()
    k1 = hmac.digest(e, b"\x00", "sha1")
    assert keys.cipher.reveal() == (k1 + hmac.digest(e, k1, "sha1"))[:32]


def test_ivs_are_cut_from_hashes() -> None:
    sha256 = PRFS["SHA-256"]
    assert phase_one_iv(sha256, 16, b"g^xi" + b"g^xr") == hashlib.sha256(b"g^xig^xr").digest()[:16]
    last = bytes(range(8))
    assert phase_two_iv(sha256, 8, last, 0x01020304) == hashlib.sha256(last + b"\x01\x02\x03\x04").digest()[:8]


@pytest.mark.parametrize("shared", [b"", b"g(qm)^xy"], ids=["without", "with-pfs"])
def test_keymat_of_a_direction_takes_encryption_then_integrity(shared: bytes) -> None:
    row, spi, nonces = PRFS["SHA-1"], b"spi!", b"NiNr"
    keys = child_keys(row, Secret(b"d"), nonces, Protocol.ESP, spi, AES256, INTEGRITY_BY_NAME["sha256"], shared)
    seed = shared + b"\x03" + spi + nonces
    k1 = hmac.digest(b"d", seed, "sha1")
    k2 = hmac.digest(b"d", k1 + seed, "sha1")
    k3 = hmac.digest(b"d", k2 + seed, "sha1")
    k4 = hmac.digest(b"d", k3 + seed, "sha1")
    stream = k1 + k2 + k3 + k4
    assert keys.encryption.reveal() == stream[:32]
    assert keys.integrity.reveal() == stream[32:64]


def test_an_aead_has_its_salt_after_its_key() -> None:
    gcm = ENCRYPTION_BY_NAME["aes-128-gcm"]
    keys = child_keys(PRFS["SHA-256"], Secret(b"d"), b"NiNr", Protocol.ESP, b"spi!", gcm, None)
    assert (len(keys.encryption), len(keys.integrity)) == (20, 0)


def test_keys_do_not_show_in_text() -> None:
    keys = phase_one_keys(PRFS["SHA-1"], AES128, b"skeyid", b"shared", b"cookies")
    assert keys.e.reveal().hex() not in repr(keys)
    assert "skeyid'" not in repr(keys)
