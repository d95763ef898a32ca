"""The algorithm table: its numbers against IANA's, and its rows against each other."""

from __future__ import annotations

import hashlib

import pytest

from isthmus.model.algorithms import (
    ENCRYPTION,
    ENCRYPTION_BY_NAME,
    INTEGRITY,
    INTEGRITY_BY_ID,
    KEY_EXCHANGE,
    KEY_EXCHANGE_BY_ID,
    PRF,
    PRF_BY_ID,
    Encryption,
    Integrity,
    KeFamily,
    KeyExchangeMethod,
    Prf,
    Strength,
    encryption_by_id,
)

ROWS: tuple[Encryption | Integrity | Prf | KeyExchangeMethod, ...] = (*ENCRYPTION, *INTEGRITY, *PRF, *KEY_EXCHANGE)

# IANA, IKEv2 Parameters, Transform Type 1: number, key bits -> name, salt, IV, block, ICV
# by RFC 2405, 2451, 3602, 4106, 4309, 7634
IANA_ENCRYPTION: dict[tuple[int, int | None], tuple[str, int, int, int, int]] = {
    (2, None): ("des", 0, 8, 8, 0),
    (3, None): ("3des", 0, 8, 8, 0),
    (11, None): ("null", 0, 0, 1, 0),
    **{(12, bits): (f"aes-{bits}-cbc", 0, 16, 16, 0) for bits in (128, 192, 256)},
    **{(14, bits): (f"aes-{bits}-ccm-8", 3, 8, 1, 8) for bits in (128, 192, 256)},
    **{(15, bits): (f"aes-{bits}-ccm-12", 3, 8, 1, 12) for bits in (128, 192, 256)},
    **{(16, bits): (f"aes-{bits}-ccm", 3, 8, 1, 16) for bits in (128, 192, 256)},
    **{(18, bits): (f"aes-{bits}-gcm-8", 4, 8, 1, 8) for bits in (128, 192, 256)},
    **{(19, bits): (f"aes-{bits}-gcm-12", 4, 8, 1, 12) for bits in (128, 192, 256)},
    **{(20, bits): (f"aes-{bits}-gcm", 4, 8, 1, 16) for bits in (128, 192, 256)},
    (28, None): ("chacha20-poly1305", 4, 8, 1, 16),
}


def test_encryption_rows_are_ianas() -> None:
    table = {(row.ikev2, row.key_bits): (row.name, row.salt, row.iv, row.block, row.icv) for row in ENCRYPTION}
    assert table == IANA_ENCRYPTION


def test_encryption_keys_are_as_long_as_the_wire_says() -> None:
    for row in ENCRYPTION:
        fixed = {"des": 8, "3des": 24, "null": 0, "chacha20-poly1305": 32}
        assert row.key == (row.key_bits // 8 if row.key_bits else fixed[row.name])


def test_integrity_rows_are_ianas() -> None:
    # Transform Type 3; RFC 2403, 2404, 4868: key and ICV; RFC 2407, 4.4.3 and 4.5, with RFC 4868's numbers
    table = {row.name: (row.ikev2, row.key, row.icv, row.ikev1, row.ah) for row in INTEGRITY}
    assert table == {
        "md5": (1, 16, 12, 1, 2),
        "sha1": (2, 20, 12, 2, 3),
        "sha256": (12, 32, 16, 5, 5),
        "sha384": (13, 48, 24, 6, 6),
        "sha512": (14, 64, 32, 7, 7),
    }


def test_prf_rows_are_ianas() -> None:
    # Transform Type 2; IKEv1 Hash Algorithm
    assert {row.name: (row.ikev2, row.ikev1) for row in PRF} == {
        "md5": (1, 1),
        "sha1": (2, 2),
        "sha256": (5, 4),
        "sha384": (6, 5),
        "sha512": (7, 6),
    }


def test_hash_sizes_are_those_of_the_hashes() -> None:
    for row in PRF:
        assert row.size == hashlib.new(row.digest).digest_size
    for integrity in INTEGRITY:
        assert integrity.key == hashlib.new(integrity.digest).digest_size
        assert integrity.icv == (12 if integrity.name in ("md5", "sha1") else integrity.key // 2)


def test_ikev1_numbers_are_ianas() -> None:
    # RFC 2409, appendix A, and RFC 3602, 5.2; RFC 2407, 4.4.4, and RFC 4106, 4309. ChaCha20 has none.
    phase1 = {row.name: row.ikev1 for row in ENCRYPTION if row.ikev1 is not None}
    assert phase1 == {"aes-256-cbc": 7, "aes-192-cbc": 7, "aes-128-cbc": 7, "3des": 5, "des": 1}
    for row in ENCRYPTION:
        assert row.ikev1_esp == (None if row.name == "chacha20-poly1305" else row.ikev2)


def test_key_exchange_rows_are_ianas() -> None:
    # Transform Type 4; RFC 3526, 5903, 8031; RFC 7296, 3.4: lengths on the wire
    sizes = {row.ikev2: (row.family, row.bits, row.public, row.reply) for row in KEY_EXCHANGE}
    modp = {1: 768, 2: 1024, 5: 1536, 14: 2048, 15: 3072, 16: 4096, 17: 6144, 18: 8192}
    assert sizes == {
        **{number: (KeFamily.MODP, bits, bits // 8, bits // 8) for number, bits in modp.items()},
        19: (KeFamily.ECP, 256, 64, 64),
        20: (KeFamily.ECP, 384, 96, 96),
        21: (KeFamily.ECP, 521, 132, 132),
        31: (KeFamily.CURVE, 255, 32, 32),
        32: (KeFamily.CURVE, 448, 56, 56),
        36: (KeFamily.KEM, 768, 1184, 1088),
        37: (KeFamily.KEM, 1024, 1568, 1568),
    }


def test_groups_are_named_by_their_number() -> None:
    for row in KEY_EXCHANGE:
        assert row.name == (f"ml-kem-{row.bits}" if row.family is KeFamily.KEM else f"group{row.ikev2}")


def test_names_are_unique_within_their_kind() -> None:
    for rows in (ENCRYPTION, INTEGRITY, PRF, KEY_EXCHANGE):
        names = [row.name for row in rows]
        assert len(set(names)) == len(names)


def test_every_weak_row_names_the_rfc_and_no_other_row_does() -> None:
    for row in ROWS:
        assert (row.strength is Strength.WEAK) == ("RFC" in row.because), row.name


def test_what_the_rfcs_advise_against_is_weak() -> None:
    weak = {row.name for row in ROWS if row.strength is Strength.WEAK}
    assert weak >= {"des", "3des", "null", "md5", "sha1", "group1", "group2", "group5"}
    assert not weak & {"aes-128-cbc", "aes-256-gcm", "chacha20-poly1305", "sha256", "group14", "group19", "group31"}


@pytest.mark.parametrize("row", ENCRYPTION, ids=lambda row: row.name)
def test_a_row_is_found_by_what_the_wire_carries(row: Encryption) -> None:
    assert encryption_by_id(row.ikev2, row.key_bits) is row
    assert ENCRYPTION_BY_NAME[row.name] is row
    assert encryption_by_id(row.ikev2, 40) is None


def test_rows_of_the_other_kinds_are_found_by_number() -> None:
    assert all(INTEGRITY_BY_ID[row.ikev2] is row for row in INTEGRITY)
    assert all(PRF_BY_ID[row.ikev2] is row for row in PRF)
    assert all(KEY_EXCHANGE_BY_ID[row.ikev2] is row for row in KEY_EXCHANGE)


def test_only_what_cannot_keep_a_secret_is_kept_from_ike() -> None:
    assert [row.name for row in ENCRYPTION if not row.ike] == ["null"]
