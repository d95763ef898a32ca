"""Every suite of the table, sealed here and opened by scapy, and the other way round."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.ipsec import CRYPT_ALGOS, ESP, CryptAlgo, SecurityAssociation
from scapy.packet import Raw

from isthmus._esp import Dropped, EspSa
from isthmus.model.algorithms import ENCRYPTION, INTEGRITY, Encryption, Integrity

SPI = 0x0C0FFEE0


@dataclass(frozen=True, slots=True)
class Suite:
    encryption: Encryption
    integrity: Integrity | None

    def __str__(self) -> str:
        return "/".join(row.name for row in (self.encryption, self.integrity) if row)


def _suites() -> list[Suite]:
    alone = [Suite(row, None) for row in ENCRYPTION if row.aead or row.key]
    paired = [Suite(row, integrity) for row in ENCRYPTION if not row.aead for integrity in INTEGRITY]
    return alone + paired


SUITES = _suites()

_CIPHERS = {
    "aes-gcm": "AES-GCM",
    "aes-gcm-12": "AES-GCM-12",
    "aes-gcm-8": "AES-GCM-8",
    "aes-ccm": "AES-CCM",
    "aes-ccm-12": "AES-CCM",
    "aes-ccm-8": "AES-CCM",
    "chacha20": "CHACHA20-POLY1305",
    "aes-cbc": "AES-CBC",
    "3des": "3DES",
    "des": "DES",
    "null": "NULL",
}
_HASHES = {
    "md5": "HMAC-MD5-96",
    "sha1": "HMAC-SHA1-96",
    "sha256": "SHA2-256-128",
    "sha384": "SHA2-384-192",
    "sha512": "SHA2-512-256",
}

# Scapy knows GCM with the whole ICV only; from its own parts it makes the others.
for _size in (12, 8):
    CRYPT_ALGOS[f"AES-GCM-{_size}"] = CryptAlgo(
        f"AES-GCM-{_size}",
        cipher=algorithms.AES,
        mode=modes.GCM,
        block_size=1,
        iv_size=8,
        salt_size=4,
        icv_size=_size,
        format_mode_iv=lambda sa, iv, **_: sa.crypt_salt + iv,
    )

FOUR = IP(src="10.1.0.5", dst="10.2.0.9", tos=0xB8) / UDP(sport=4000, dport=53) / Raw(b"a question")
SIX = IPv6(src="fd00::5", dst="fd00::9", tc=0xB8) / ICMPv6EchoRequest(id=1, seq=2, data=b"ping")
OUTER_FOUR = IP(src="192.0.2.1", dst="198.51.100.2")
OUTER_SIX = IPv6(src="2001:db8::1", dst="2001:db8::2")


def _cipher(row: Encryption) -> str:
    words = row.name.split("-")
    return _CIPHERS["-".join([words[0], *words[2:]]) if words[0] == "aes" else words[0]]


def _octets(label: str, count: int) -> bytes:
    return hashlib.shake_256(label.encode()).digest(count)


def _ours(suite: Suite, *, esn: bool = False) -> EspSa:
    row, integrity = suite.encryption, suite.integrity
    return EspSa(
        spi=SPI,
        encryption=row.name,
        encryption_key=_octets("encryption", row.key + row.salt),
        integrity=integrity.name if integrity else None,
        integrity_key=_octets("integrity", integrity.key if integrity else 0),
        esn=esn,
    )


def _theirs(suite: Suite, outer: Any, *, esn: int | None = None, nat: Any = None) -> SecurityAssociation:
    row, integrity = suite.encryption, suite.integrity
    return SecurityAssociation(
        ESP,
        spi=SPI,
        crypt_algo=_cipher(row),
        crypt_key=_octets("encryption", row.key + row.salt) or None,
        crypt_icv_size=row.icv or None,
        auth_algo=_HASHES[integrity.name] if integrity else None,
        auth_key=_octets("integrity", integrity.key) if integrity else None,
        tunnel_header=outer,
        nat_t_header=nat,
        esn_en=esn is not None,
        esn=esn or 0,
    )


def _wrapped(outer: Any, esp: bytes) -> Any:
    """The ESP packet behind an outer header, as scapy would have captured it."""
    packet = outer.copy()
    packet.payload = Raw(esp)
    packet[0].setfieldval("nh" if isinstance(packet, IPv6) else "proto", 50)
    return type(packet)(bytes(packet))


@pytest.mark.parametrize("suite", SUITES, ids=str)
@pytest.mark.parametrize("outer", [OUTER_FOUR, OUTER_SIX], ids=["in-ipv4", "in-ipv6"])
@pytest.mark.parametrize("inner", [FOUR, SIX], ids=["ipv4", "ipv6"])
def test_scapy_opens_what_we_seal(suite: Suite, outer: Any, inner: Any) -> None:
    ours, theirs = _ours(suite), _theirs(suite, outer)
    for _ in range(3):
        sealed, _tos = ours.encapsulate(bytes(inner))
        assert bytes(theirs.decrypt(_wrapped(outer, sealed))) == bytes(inner)


@pytest.mark.parametrize("suite", SUITES, ids=str)
@pytest.mark.parametrize("outer", [OUTER_FOUR, OUTER_SIX], ids=["in-ipv4", "in-ipv6"])
@pytest.mark.parametrize("inner", [FOUR, SIX], ids=["ipv4", "ipv6"])
def test_we_open_what_scapy_seals(suite: Suite, outer: Any, inner: Any) -> None:
    ours, theirs = _ours(suite), _theirs(suite, outer)
    for number in (1, 2, 3):
        sealed = theirs.encrypt(inner.copy(), seq_num=number)
        assert ours.decapsulate(bytes(sealed[ESP])) == bytes(inner)


@pytest.mark.parametrize("suite", [s for s in SUITES if s.integrity or s.encryption.aead], ids=str)
def test_extended_sequence_numbers_agree_both_ways(suite: Suite) -> None:
    ours, theirs = _ours(suite, esn=True), _theirs(suite, OUTER_FOUR, esn=0)
    assert ours.decapsulate(bytes(theirs.encrypt(FOUR.copy(), seq_num=0x7FFFFFFF)[ESP])) == bytes(FOUR)
    assert ours.decapsulate(bytes(theirs.encrypt(FOUR.copy(), seq_num=0xFFFFFFFF)[ESP])) == bytes(FOUR)
    beyond = theirs.encrypt(FOUR.copy(), seq_num=3, esn_en=True, esn=1)
    assert ours.decapsulate(bytes(beyond[ESP])) == bytes(FOUR)
    ours.resume_after((1 << 32) + 6)
    sealed, _tos = ours.encapsulate(bytes(FOUR))
    opened = theirs.decrypt(_wrapped(OUTER_FOUR, sealed), esn_en=True, esn=1)
    assert bytes(opened) == bytes(FOUR)


@pytest.mark.parametrize("suite", [s for s in SUITES if s.integrity or s.encryption.aead], ids=str)
def test_an_altered_packet_of_scapys_is_dropped(suite: Suite) -> None:
    ours, theirs = _ours(suite), _theirs(suite, OUTER_FOUR)
    sealed = bytearray(bytes(theirs.encrypt(FOUR.copy())[ESP]))
    sealed[len(sealed) // 2] ^= 1
    with pytest.raises(Dropped, match="integrity-failed"):
        ours.decapsulate(bytes(sealed))


@pytest.mark.parametrize("name", ["aes-256-gcm", "aes-128-cbc", "3des"])
def test_udp_encapsulation_agrees_both_ways(name: str) -> None:
    suite = next(s for s in SUITES if s.encryption.name == name)
    ours, theirs = _ours(suite), _theirs(suite, OUTER_FOUR, nat=UDP(sport=4500, dport=4500))
    sealed = theirs.encrypt(FOUR.copy())
    assert bytes(sealed[UDP])[8:] == bytes(sealed[ESP])
    assert ours.decapsulate(bytes(sealed[ESP])) == bytes(FOUR)
    octets, _tos = ours.encapsulate(bytes(FOUR))
    datagram = IP(bytes(OUTER_FOUR / UDP(sport=4500, dport=4500) / Raw(octets)))
    assert bytes(theirs.decrypt(datagram)) == bytes(FOUR)


def test_what_is_not_ip_does_not_leave() -> None:
    suite = SUITES[0]
    for packet in (b"", b"\x00" * 40, b"\x50" * 40, bytes(FOUR)[:19], bytes(FOUR)[:-1], bytes(SIX)[:39]):
        with pytest.raises(Dropped, match="not-ip"):
            _ours(suite).encapsulate(packet)


def test_a_packet_of_another_spi_is_not_opened() -> None:
    ours = _ours(SUITES[0])
    sealed, _tos = ours.encapsulate(bytes(FOUR))
    with pytest.raises(Dropped, match="unknown-spi"):
        ours.decapsulate(b"\x00" + sealed[1:])
