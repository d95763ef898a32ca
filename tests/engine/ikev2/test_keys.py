"""The IKEv2 key schedule, by NIST's answers and by the RFCs' formulas written out."""

from __future__ import annotations

import dataclasses
import hmac

import pytest

from isthmus.crypto.prf import prf, prf_plus
from isthmus.engine.ikev2.keys import (
    ChildKeys,
    IkeKeys,
    child_keys,
    ike_keys,
    intermediate_seed,
    ppk_mix,
    skeyseed,
    skeyseed_rekey,
)
from isthmus.model.algorithms import ENCRYPTION_BY_NAME, INTEGRITY_BY_NAME, PRF_BY_NAME, Encryption, Integrity, Prf
from isthmus.model.secret import Secret
from tests.vectors import fax

PRFS = {
    "SHA-1": PRF_BY_NAME["sha1"],
    "SHA-256": PRF_BY_NAME["sha256"],
    "SHA-384": PRF_BY_NAME["sha384"],
    "SHA-512": PRF_BY_NAME["sha512"],
}
SHA256 = PRF_BY_NAME["sha256"]
NONCES = b"Ni" * 16 + b"Nr" * 16
SPIS = b"initiatorresponder"[:16]


def suites() -> list[tuple[Encryption, Integrity | None]]:
    ciphers = ENCRYPTION_BY_NAME.values()
    return [
        *((row, None) for row in ciphers if row.aead),
        *((row, INTEGRITY_BY_NAME["sha1"]) for row in ciphers if not row.aead),
        (ENCRYPTION_BY_NAME["aes-256-cbc"], INTEGRITY_BY_NAME["sha512"]),
    ]


def flat(keys: IkeKeys | ChildKeys) -> bytes:
    """The keys one after the other, as they came out of prf+."""
    if isinstance(keys, ChildKeys):
        directions = keys.from_requester, keys.from_replier
        return b"".join(d.encryption.reveal() + d.integrity.reveal() for d in directions)
    return b"".join(getattr(keys, field.name).reveal() for field in dataclasses.fields(keys))


def check(case: fax.Case) -> None:
    row = PRFS[case.labels[0]]
    nonces, spis = case["Ni"] + case["Nr"], case["SPIi"] + case["SPIr"]
    seed = skeyseed(row, nonces, case["g^ir"])
    assert seed == case["SKEYSEED"]
    assert prf_plus(row, seed, nonces + spis, len(case["DKM"])) == case["DKM"]
    sk_d = case["DKM"][: row.size]
    assert skeyseed_rekey(row, sk_d, case["g^ir (new)"], nonces) == case["SKEYSEED(Rekey)"]
    for shared, name in ((b"", "DKM(Child SA)"), (case["g^ir (new)"], "DKM(Child SA D-H)")):
        assert prf_plus(row, sk_d, shared + nonces, len(case[name])) == case[name]
        for encryption, integrity in suites():
            keymat = flat(child_keys(row, sk_d, nonces, encryption, integrity, shared))
            assert begins_alike(keymat, case[name])
    for encryption, integrity in suites():
        keys = ike_keys(row, seed, nonces, spis, encryption, integrity)
        assert keys.d.reveal() == sk_d
        assert begins_alike(flat(keys), case["DKM"])


def begins_alike(one: bytes, other: bytes) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def test_a_handful_of_nist_answers() -> None:
    for case in fax.read(fax.HERE / "ikev2.fax"):
        check(case)


def test_the_complete_nist_set() -> None:
    path = fax.complete_set("ikev2.fax.gz")
    if path is None:
        pytest.skip("ikev2.fax.gz is neither in $ISTHMUS_VECTORS nor in ../shared/vectors")
    count = 0
    for case in fax.read(path):
        check(case)
        count += 1
    assert count == 900


def test_sk_are_cut_in_the_order_of_the_rfc() -> None:
    aes, sha1 = ENCRYPTION_BY_NAME["aes-128-cbc"], INTEGRITY_BY_NAME["sha1"]
    keys = ike_keys(SHA256, b"seed", NONCES, SPIS, aes, sha1)
    stream = prf_plus(SHA256, b"seed", NONCES + SPIS, 32 + 20 + 20 + 16 + 16 + 32 + 32)
    assert [len(getattr(keys, name)) for name in ("d", "ai", "ar", "ei", "er", "pi", "pr")] == [
        32, 20, 20, 16, 16, 32, 32,
    ]  # fmt: skip
    assert flat(keys) == stream


def test_an_aead_has_its_salt_after_its_key_and_no_integrity_key() -> None:
    gcm = ENCRYPTION_BY_NAME["aes-256-gcm"]
    keys = ike_keys(SHA256, b"seed", NONCES, SPIS, gcm, None)
    stream = prf_plus(SHA256, b"seed", NONCES + SPIS, 32 + 36 + 36 + 32 + 32)
    assert (len(keys.ai), len(keys.ar)) == (0, 0)
    assert (keys.ei.reveal(), keys.er.reveal()) == (stream[32:68], stream[68:104])


def test_a_child_takes_encryption_before_integrity_and_the_requester_before_the_replier() -> None:
    cipher, integrity = ENCRYPTION_BY_NAME["3des"], INTEGRITY_BY_NAME["sha256"]
    keys = child_keys(SHA256, b"d" * 32, NONCES, cipher, integrity)
    stream = prf_plus(SHA256, b"d" * 32, NONCES, 2 * (24 + 32))
    assert keys.from_requester.encryption.reveal() == stream[:24]
    assert keys.from_requester.integrity.reveal() == stream[24:56]
    assert keys.from_replier.encryption.reveal() == stream[56:80]
    assert keys.from_replier.integrity.reveal() == stream[80:]


def test_ah_takes_integrity_keys_only() -> None:
    keys = child_keys(SHA256, b"d" * 32, NONCES, None, INTEGRITY_BY_NAME["sha256"])
    assert len(keys.from_requester.encryption) == len(keys.from_replier.encryption) == 0
    assert flat(keys) == prf_plus(SHA256, b"d" * 32, NONCES, 64)


def test_further_key_exchanges_come_after_the_nonces() -> None:
    # RFC 9370, 2.2.4: prf+ (SK_d, SK(0) | Ni | Nr | SK(1) | SK(2))
    aes = ENCRYPTION_BY_NAME["aes-128-gcm"]
    keys = child_keys(SHA256, b"d" * 32, NONCES, aes, None, b"SK(0)", b"SK(1)" + b"SK(2)")
    assert flat(keys) == prf_plus(SHA256, b"d" * 32, b"SK(0)" + NONCES + b"SK(1)SK(2)", 40)
    seed = skeyseed_rekey(SHA256, b"d" * 32, b"SK(0)", NONCES, b"SK(1)SK(2)")
    assert seed == hmac.digest(b"d" * 32, b"SK(0)" + NONCES + b"SK(1)SK(2)", "sha256")


def test_an_intermediate_exchange_renews_the_seed_from_sk_d() -> None:
    # RFC 9370, 2.2.2: SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr)
    assert intermediate_seed(SHA256, b"d" * 32, b"SK(1)", NONCES) == hmac.digest(b"d" * 32, b"SK(1)" + NONCES, "sha256")


@pytest.mark.parametrize("row", PRFS.values(), ids=PRFS)
def test_a_ppk_changes_what_derives_and_what_authenticates_and_nothing_else(row: Prf) -> None:
    before = ike_keys(row, b"seed", NONCES, SPIS, ENCRYPTION_BY_NAME["aes-128-gcm"], None)
    after = ppk_mix(row, Secret(b"post-quantum pre-shared key"), before)
    for name in ("d", "pi", "pr"):
        old, new = getattr(before, name).reveal(), getattr(after, name).reveal()
        # RFC 8784, 3: prf+ of one block is prf(PPK, SK' | 0x01)
        assert new == prf(row, b"post-quantum pre-shared key", old + b"\x01")
    for name in ("ai", "ar", "ei", "er"):
        assert getattr(after, name) == getattr(before, name)


def test_keys_do_not_show_in_text() -> None:
    keys = ike_keys(SHA256, b"seed", NONCES, SPIS, ENCRYPTION_BY_NAME["aes-128-gcm"], None)
    assert repr(keys.d) == "<32 octets>"
    assert keys.d.reveal().hex() not in repr(keys)
    assert repr(keys.d.reveal()) not in repr(keys)
