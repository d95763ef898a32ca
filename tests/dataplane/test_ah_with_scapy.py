"""AH in both modes, and ESP in transport mode: sealed here and opened by scapy, and the other way round."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import hashlib
from ipaddress import ip_address
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP, IPOption_Router_Alert, IPOption_Timestamp
from scapy.layers.inet6 import (
    HBHOptUnknown,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    RouterAlert,
)
from scapy.layers.ipsec import AH, ESP, SecurityAssociation
from scapy.packet import Raw

from isthmus._esp import Dropped, EspSa
from isthmus.model.algorithms import ENCRYPTION, INTEGRITY, Encryption, Integrity

SPI = 0x0C0FFEE0
LEFT_FOUR, RIGHT_FOUR = "192.0.2.1", "198.51.100.2"
LEFT_SIX, RIGHT_SIX = "2001:db8::1", "2001:db8::2"

INNER_FOUR = IP(src="10.1.0.5", dst="10.2.0.9", tos=0xB8) / UDP(sport=4000, dport=53) / Raw(b"a question")
INNER_SIX = IPv6(src="fd00::5", dst="fd00::9", tc=0xB8) / UDP(sport=4000, dport=53) / Raw(b"a question")

HOST_FOUR = IP(src=LEFT_FOUR, dst=RIGHT_FOUR, tos=0xB8, ttl=255, id=7)
HOST_SIX = IPv6(src=LEFT_SIX, dst=RIGHT_SIX, tc=0xB8, fl=0x12345, hlim=255)
SEGMENT = TCP(sport=4000, dport=179, flags="PA") / Raw(b"a word")

HOST_PACKETS = {
    "ipv4": HOST_FOUR / SEGMENT,
    "ipv4-options": IP(src=LEFT_FOUR, dst=RIGHT_FOUR, options=[IPOption_Router_Alert(), IPOption_Timestamp()])
    / SEGMENT,
    "ipv6": HOST_SIX / SEGMENT,
    "ipv6-hop-by-hop": HOST_SIX
    / IPv6ExtHdrHopByHop(options=[RouterAlert(value=0), HBHOptUnknown(otype=0x3E, optdata=b"ab")])
    / SEGMENT,
    "ipv6-routing": HOST_SIX / IPv6ExtHdrRouting(type=253, segleft=0, addresses=[]) / SEGMENT,
    "ipv6-destination": HOST_SIX / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x1E, optdata=b"ab")]) / SEGMENT,
}
"""What a gateway itself says to its peer."""

_HASHES = {
    "md5": "HMAC-MD5-96",
    "sha1": "HMAC-SHA1-96",
    "sha256": "SHA2-256-128",
    "sha384": "SHA2-384-192",
    "sha512": "SHA2-512-256",
}


def _octets(label: str, count: int) -> bytes:
    return hashlib.shake_256(label.encode()).digest(count)


def _ends(version: int) -> Any:
    ends = (LEFT_FOUR, RIGHT_FOUR) if version == 4 else (LEFT_SIX, RIGHT_SIX)
    return tuple(map(ip_address, ends))


def _ours(integrity: Integrity, version: int, mode: str, *, esn: bool = False) -> EspSa:
    key = _octets("integrity", integrity.key)
    return EspSa(spi=SPI, integrity=integrity.name, integrity_key=key, mode=mode, between=_ends(version), esn=esn)


def _theirs(integrity: Integrity, outer: Any = None, esn: int | None = None) -> SecurityAssociation:
    return SecurityAssociation(
        AH,
        spi=SPI,
        auth_algo=_HASHES[integrity.name],
        auth_key=_octets("integrity", integrity.key),
        tunnel_header=outer,
        esn_en=esn is not None,
        esn=esn or 0,
    )


def _outer(version: int) -> Any:
    return IP(src=LEFT_FOUR, dst=RIGHT_FOUR) if version == 4 else IPv6(src=LEFT_SIX, dst=RIGHT_SIX)


def _parsed(octets: bytes) -> Any:
    return (IP if octets[0] >> 4 == 4 else IPv6)(octets)


def _headers(octets: bytes) -> int:
    """Octets before AH or ESP."""
    if octets[0] >> 4 == 4:
        return (octets[0] & 15) * 4
    following, at = octets[6], 40
    while following not in (50, 51):
        following, at = octets[at], at + (octets[at + 1] + 1) * 8
    return at


def _same(opened: Any, packet: Any) -> bool:
    """Whether scapy got our packet out: all but what it leaves for others to compute."""
    opened, packet = _parsed(bytes(opened)), _parsed(bytes(packet))
    return (opened.src, opened.dst, bytes(opened[TCP])) == (packet.src, packet.dst, bytes(packet[TCP]))


def _in_flight(octets: bytes) -> bytes:
    """The same after some routers, which change what they may."""
    packet = _parsed(octets)
    if isinstance(packet, IP):
        packet.ttl, packet.tos = 3, 0
        del packet.chksum
    else:
        packet.hlim, packet.tc, packet.fl = 3, 0, 0x777
    return bytes(packet)


@pytest.mark.parametrize("integrity", INTEGRITY, ids=lambda row: row.name)
@pytest.mark.parametrize("version", [4, 6], ids=["in-ipv4", "in-ipv6"])
@pytest.mark.parametrize("inner", [INNER_FOUR, INNER_SIX], ids=["ipv4", "ipv6"])
def test_ah_in_tunnel_mode_agrees_both_ways(integrity: Integrity, version: int, inner: Any) -> None:
    ours, theirs = _ours(integrity, version, "tunnel"), _theirs(integrity, _outer(version))
    for number in (1, 2, 3):
        sealed, _tos = ours.encapsulate(bytes(inner))
        assert bytes(theirs.decrypt(_parsed(_in_flight(sealed)))) == bytes(inner)
        from_them = bytes(theirs.encrypt(inner.copy(), seq_num=number))
        assert ours.decapsulate(_in_flight(from_them), headers=_headers(from_them)) == bytes(inner)


@pytest.mark.parametrize("integrity", INTEGRITY, ids=lambda row: row.name)
@pytest.mark.parametrize("kind", HOST_PACKETS)
def test_ah_in_transport_mode_agrees_both_ways(integrity: Integrity, kind: str) -> None:
    packet = _parsed(bytes(HOST_PACKETS[kind]))
    ours, theirs = _ours(integrity, packet.version, "transport"), _theirs(integrity)
    sealed, _tos = ours.encapsulate(bytes(packet))
    assert _same(theirs.decrypt(_parsed(sealed)), packet)
    from_them = bytes(theirs.encrypt(packet.copy(), seq_num=1))
    assert ours.decapsulate(from_them, headers=_headers(from_them)) == bytes(packet)
    ours.resume_after(1)
    own, _tos = ours.encapsulate(bytes(packet))
    assert ours.decapsulate(own, headers=_headers(own)) == bytes(packet)


@pytest.mark.parametrize("mode", ["tunnel", "transport"])
@pytest.mark.parametrize("integrity", INTEGRITY, ids=lambda row: row.name)
def test_extended_sequence_numbers_of_ah_agree_both_ways(integrity: Integrity, mode: str) -> None:
    packet = HOST_FOUR / SEGMENT
    outer = _outer(4) if mode == "tunnel" else None
    ours, theirs = _ours(integrity, 4, mode, esn=True), _theirs(integrity, outer, esn=0)
    for number, high in ((0x7FFFFFFF, 0), (0xFFFFFFFF, 0), (3, 1)):
        from_them = bytes(theirs.encrypt(packet.copy(), seq_num=number, esn_en=True, esn=high))
        assert ours.decapsulate(from_them, headers=20) == bytes(packet)
    ours.resume_after((1 << 32) + 6)
    sealed, _tos = ours.encapsulate(bytes(packet))
    assert _same(theirs.decrypt(_parsed(sealed), esn_en=True, esn=1), packet)


@pytest.mark.parametrize("integrity", INTEGRITY, ids=lambda row: row.name)
@pytest.mark.parametrize("version", [4, 6])
def test_an_altered_packet_under_ah_is_dropped(integrity: Integrity, version: int) -> None:
    ours, theirs = _ours(integrity, version, "tunnel"), _theirs(integrity, _outer(version))
    sealed = bytearray(bytes(theirs.encrypt(INNER_FOUR.copy())))
    sealed[-3] ^= 1
    with pytest.raises(Dropped, match="integrity-failed"):
        ours.decapsulate(bytes(sealed), headers=_headers(bytes(sealed)))


_TRANSPORT_SUITES = [
    (row, integrity)
    for row in ENCRYPTION
    if row.name in ("aes-256-gcm", "aes-128-cbc", "3des", "null", "chacha20-poly1305")
    for integrity in ((None,) if row.aead else INTEGRITY)
]
_CIPHERS = {
    "aes-256-gcm": "AES-GCM",
    "chacha20-poly1305": "CHACHA20-POLY1305",
    "aes-128-cbc": "AES-CBC",
    "3des": "3DES",
    "null": "NULL",
}


@pytest.mark.parametrize(("row", "integrity"), _TRANSPORT_SUITES, ids=lambda row: row.name if row else "alone")
@pytest.mark.parametrize("kind", HOST_PACKETS)
def test_esp_in_transport_mode_agrees_both_ways(row: Encryption, integrity: Integrity | None, kind: str) -> None:
    packet = _parsed(bytes(HOST_PACKETS[kind]))
    encryption_key = _octets("encryption", row.key + row.salt)
    integrity_key = _octets("integrity", integrity.key if integrity else 0)
    ours = EspSa(
        spi=SPI,
        encryption=row.name,
        encryption_key=encryption_key,
        integrity=integrity.name if integrity else None,
        integrity_key=integrity_key,
        mode="transport",
    )
    theirs = SecurityAssociation(
        ESP,
        spi=SPI,
        crypt_algo=_CIPHERS[row.name],
        crypt_key=encryption_key or None,
        auth_algo=_HASHES[integrity.name] if integrity else None,
        auth_key=integrity_key or None,
    )
    sealed, _tos = ours.encapsulate(bytes(packet))
    assert _same(theirs.decrypt(_parsed(sealed)), packet)
    from_them = bytes(theirs.encrypt(packet.copy(), seq_num=1))
    assert ours.decapsulate(from_them, headers=_headers(from_them)) == bytes(packet)
    ours.resume_after(1)
    own, _tos = ours.encapsulate(bytes(packet))
    assert ours.decapsulate(own, headers=_headers(own)) == bytes(packet)
