"""Sealing and opening: what holds for every suite, then each cipher by its RFC."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from isthmus.crypto.integrity import Authenticator
from isthmus.crypto.protection import IntegrityFailure, Protection, protection
from isthmus.model.algorithms import ENCRYPTION, ENCRYPTION_BY_NAME, INTEGRITY, INTEGRITY_BY_NAME, Encryption, Integrity

SUITES: list[tuple[Encryption, Integrity | None]] = [
    *((row, None) for row in ENCRYPTION if row.aead),
    *((row, integrity) for row in ENCRYPTION if not row.aead for integrity in INTEGRITY),
]
SHA1 = INTEGRITY_BY_NAME["sha1"]


def name(suite: tuple[Encryption, Integrity | None]) -> str:
    return "/".join(row.name for row in suite if row)


suites = st.sampled_from(SUITES)
every_suite = pytest.mark.parametrize("suite", SUITES, ids=name)


def under_keys(suite: tuple[Encryption, Integrity | None], fill: int = 7) -> Protection:
    encryption, integrity = suite
    key = bytes((fill + at) % 256 for at in range(encryption.key + encryption.salt))
    return protection(encryption, key, integrity, bytes([fill]) * (integrity.key if integrity else 0))


def plaintexts(guard: Protection) -> st.SearchStrategy[bytes]:
    """Whole blocks, the empty one included."""
    return st.binary(max_size=400).map(lambda octets: octets[: len(octets) // guard.block * guard.block])


@given(suites, st.binary(max_size=60), st.data())
def test_what_was_sealed_opens(
    suite: tuple[Encryption, Integrity | None], associated: bytes, draw: st.DataObject
) -> None:
    guard = under_keys(suite)
    iv = draw.draw(st.binary(min_size=guard.iv, max_size=guard.iv))
    plaintext = draw.draw(plaintexts(guard))
    body = guard.seal(associated, iv, plaintext)
    assert body[: guard.iv] == iv
    assert len(body) == guard.iv + len(plaintext) + guard.icv
    assert guard.open(associated, body) == plaintext


@given(suites, st.data())
def test_one_wrong_bit_anywhere_is_an_integrity_failure(
    suite: tuple[Encryption, Integrity | None], draw: st.DataObject
) -> None:
    guard = under_keys(suite)
    body = guard.seal(b"associated", bytes(guard.iv), bytes(48))
    bit = draw.draw(st.integers(0, 8 * len(body) - 1))
    with pytest.raises(IntegrityFailure):
        guard.open(b"associated", (int.from_bytes(body) ^ 1 << bit).to_bytes(len(body)))


@every_suite
def test_other_associated_data_is_an_integrity_failure(suite: tuple[Encryption, Integrity | None]) -> None:
    guard = under_keys(suite)
    body = guard.seal(b"associated", bytes(guard.iv), bytes(48))
    for other in (b"", b"associate", b"associated\0", b"Associated"):
        with pytest.raises(IntegrityFailure):
            guard.open(other, body)


@every_suite
def test_a_body_cut_anywhere_is_an_integrity_failure(suite: tuple[Encryption, Integrity | None]) -> None:
    guard = under_keys(suite)
    body = guard.seal(b"associated", bytes(guard.iv), bytes(48))
    for size in range(len(body)):
        with pytest.raises(IntegrityFailure):
            guard.open(b"associated", body[:size])
    with pytest.raises(IntegrityFailure):
        guard.open(b"associated", body + b"\0")


@every_suite
def test_another_key_does_not_open(suite: tuple[Encryption, Integrity | None]) -> None:
    body = under_keys(suite, 7).seal(b"", bytes(suite[0].iv), bytes(48))
    with pytest.raises(IntegrityFailure):
        under_keys(suite, 8).open(b"", body)


@every_suite
def test_one_key_seals_many_messages(suite: tuple[Encryption, Integrity | None]) -> None:
    guard, peer = under_keys(suite), under_keys(suite)
    for number in range(5):
        iv = bytes(guard.iv - 1) + bytes([number]) if guard.iv else b""
        message = bytes([number]) * 48
        assert peer.open(b"a", guard.seal(b"a", iv, message)) == message


@every_suite
def test_keys_and_ivs_of_another_length_are_refused(suite: tuple[Encryption, Integrity | None]) -> None:
    encryption, integrity = suite
    key = bytes(encryption.key + encryption.salt)
    integrity_key = bytes(integrity.key) if integrity else b""
    with pytest.raises(ValueError, match="octets"):
        protection(encryption, key + b"\0", integrity, integrity_key)
    guard = protection(encryption, key, integrity, integrity_key)
    with pytest.raises(ValueError, match="IV"):
        guard.seal(b"", bytes(guard.iv + 1), bytes(48))
    if integrity:
        with pytest.raises(ValueError, match="octets"):
            protection(encryption, key, integrity, integrity_key + b"\0")


def test_what_is_no_suite_is_refused() -> None:
    gcm, cbc = ENCRYPTION_BY_NAME["aes-128-gcm"], ENCRYPTION_BY_NAME["aes-128-cbc"]
    with pytest.raises(ValueError, match="without integrity"):
        protection(cbc, bytes(16), None)
    with pytest.raises(ValueError, match="its own integrity"):
        protection(gcm, bytes(20), SHA1, bytes(20))


@pytest.mark.parametrize("row", ENCRYPTION, ids=lambda row: row.name)
def test_a_number_that_we_do_not_have_is_refused(row: Encryption) -> None:
    unknown = dataclasses.replace(row, ikev2=1023)
    with pytest.raises(ValueError, match="of ours"):
        protection(unknown, bytes(row.key + row.salt), None if row.aead else SHA1, bytes(0 if row.aead else 20))


@pytest.mark.parametrize("name", ["aes-128-cbc", "3des", "des"])
def test_a_plaintext_that_is_no_whole_block_is_refused(name: str) -> None:
    guard = under_keys((ENCRYPTION_BY_NAME[name], SHA1))
    with pytest.raises(ValueError, match="whole blocks"):
        guard.seal(b"", bytes(guard.iv), bytes(guard.block + 1))


@pytest.mark.parametrize("name", ["aes-128-cbc", "3des", "des"])
def test_a_broken_block_is_a_failure_even_if_its_icv_is_right(name: str) -> None:
    # Only a peer that holds the key can send it: an error of the peer's, none of ours.
    guard = under_keys((ENCRYPTION_BY_NAME[name], SHA1))
    body = bytes(guard.iv + guard.block + 1)
    icv = Authenticator(SHA1, bytes([7]) * 20).icv(b"associated", body)
    with pytest.raises(IntegrityFailure):
        guard.open(b"associated", body + icv)


CBC = [
    # RFC 3602, 4, case 1
    (
        "aes-128-cbc",
        "06a9214036b8a15b512e03d534120006",
        "3dafba429d9eb430b422da802c9fac41",
        b"Single block msg".hex(),
        "e353779c1079aeb82708942dbe77181a",
    ),
    # FIPS 81, table C1
    (
        "des",
        "0123456789abcdef",
        "1234567890abcdef",
        b"Now is the time for all ".hex(),
        "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
    ),
    # SP 800-67, appendix B: the first block, for a zero IV makes CBC's first step ECB
    (
        "3des",
        "0123456789abcdef23456789abcdef01456789abcdef0123",
        "0000000000000000",
        b"The qufc".hex(),
        "a826fd8ce53b855f",
    ),
]


@pytest.mark.parametrize(("name", "key", "iv", "plaintext", "ciphertext"), CBC, ids=lambda value: value[:11])
def test_cbc_gives_the_published_answers(name: str, key: str, iv: str, plaintext: str, ciphertext: str) -> None:
    guard = protection(ENCRYPTION_BY_NAME[name], bytes.fromhex(key), SHA1, bytes(20))
    body = guard.seal(b"", bytes.fromhex(iv), bytes.fromhex(plaintext))
    assert body[guard.iv : -guard.icv].hex() == ciphertext


def test_null_leaves_the_plaintext_readable_and_guarded() -> None:
    guard = protection(ENCRYPTION_BY_NAME["null"], b"", SHA1, b"\x0b" * 20)
    # RFC 2202, 3, case 1, cut to 96 bits
    assert guard.seal(b"Hi ", b"", b"There") == b"There" + bytes.fromhex("b617318655057264e28bc0b6")


@pytest.mark.parametrize(("name", "icv"), [("aes-128-gcm", 16), ("aes-128-gcm-12", 12), ("aes-128-gcm-8", 8)])
def test_gcm_gives_the_first_answer_of_draft_mcgrew_gcm_test(name: str, icv: int) -> None:
    guard = protection(ENCRYPTION_BY_NAME[name], bytes.fromhex("4c80cdefbb5d10da906ac73c3613a6342e443b68"), None)
    plaintext = bytes.fromhex(
        "45000048699a000080114db7c0a80102c0a801010a9bf15638d3010000010000"
        "00000000045f736970045f756470037369700963796265726369747902646b00"
        "0021000101020201"
    )
    body = guard.seal(bytes.fromhex("000043218765432100000000"), bytes.fromhex("4956ed7e3b244cfe"), plaintext)
    sealed = bytes.fromhex(
        "4956ed7e3b244cfe"
        "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34"
        "cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce"
        "61bc17d768fd9732459018148f6cbe722fd04796562dfdb4"
    )
    assert body == sealed[: len(sealed) - 16 + icv]


def test_chacha20_poly1305_gives_the_ike_message_of_rfc_7634() -> None:
    # Appendix B: HDR, SK {N(SET_WINDOW_SIZE)}
    key = bytes(range(0x80, 0xA0)) + bytes.fromhex("a0a1a2a3")
    guard = protection(ENCRYPTION_BY_NAME["chacha20-poly1305"], key, None)
    header = bytes.fromhex("c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029")
    plaintext = bytes.fromhex("0000000c000040010000000a00")
    body = guard.seal(header, bytes(range(0x10, 0x18)), plaintext)
    assert body.hex() == "1011121314151617" + "610394701f8d017f7c12924889" + "6b71bfe25236efd7cdc67066906315b2"
    assert guard.open(header, body) == plaintext


@pytest.mark.parametrize("row", [r for r in ENCRYPTION if "-ccm" in r.name], ids=lambda row: row.name)
@pytest.mark.parametrize("size", [0, 1, 16, 300])
def test_ccm_is_the_construction_of_rfc_3610(row: Encryption, size: int) -> None:
    key, salt, iv = bytes(range(row.key)), b"\xa1\xa2\xa3", bytes(range(8))
    associated, plaintext = bytes(range(32)), bytes(at % 251 for at in range(size))
    ciphertext, icv = ccm(key, salt + iv, associated, plaintext, row.icv)
    assert protection(row, key + salt, None).seal(associated, iv, plaintext) == iv + ciphertext + icv


def ccm(key: bytes, nonce: bytes, associated: bytes, plaintext: bytes, icv: int) -> tuple[bytes, bytes]:
    """RFC 3610, 2.2 and 2.3, with the L = 4 of RFC 4309, block by block."""
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()

    def padded(octets: bytes) -> bytes:
        return octets + bytes(-len(octets) % 16)

    def xor(one: bytes, other: bytes) -> bytes:
        return bytes(a ^ b for a, b in zip(one, other, strict=False))

    flags = 64 + 8 * ((icv - 2) // 2) + 3
    blocks = bytes([flags]) + nonce + len(plaintext).to_bytes(4)
    blocks += padded(len(associated).to_bytes(2) + associated) + padded(plaintext)
    mac = bytes(16)
    for at in range(0, len(blocks), 16):
        mac = cipher.update(xor(mac, blocks[at : at + 16]))
    counters = (b"\x03" + nonce + n.to_bytes(4) for n in range(2 + len(plaintext) // 16))
    first, *rest = (cipher.update(counter) for counter in counters)
    return xor(plaintext, b"".join(rest)), xor(mac, first)[:icv]
