"""The one algorithm table: names in the configuration, numbers on the wire, sizes, and how strong each is today.

Key-schedule sizes, proposals, warnings, JSON output and the Rust core's suites all come from these rows.
Sources: IANA "IKEv2 Parameters" and "IPsec Registry"; RFC 8221 (ESP and AH), RFC 8247 (IKEv2), RFC 9395 (IKEv1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Strength(StrEnum):
    """What the RFCs say of an algorithm now."""

    SOUND = "sound"
    WEAK = "weak"
    """Works because the peer may have nothing better; `check` and the event at negotiation name it."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """A cipher, alone (`icv` is 0) or with its own integrity (AEAD)."""

    name: str
    ikev2: int
    """Transform ID, type 1."""
    key: int
    """Octets of key, without salt."""
    key_bits: int | None
    """Key Length attribute; None where the RFC forbids or does not need one."""
    block: int
    """Octets that the plaintext is padded to, before ESP's own rule of four."""
    iv: int
    """Octets of explicit IV in each packet or message."""
    salt: int = 0
    """Octets of the implicit part of the nonce, taken from the keying material after the key."""
    icv: int = 0
    """Octets of an AEAD's ICV."""
    ikev1: int | None = None
    """IKEv1 phase 1 Encryption Algorithm attribute value (RFC 2409, appendix A)."""
    ikev1_esp: int | None = None
    """IPsec ESP Transform Identifier (RFC 2407, 4.4.4)."""
    ike: bool = True
    """May protect IKE messages."""
    strength: Strength = Strength.SOUND
    because: str = ""

    @property
    def aead(self) -> bool:
        return self.icv > 0


@dataclass(frozen=True, slots=True)
class Integrity:
    """A keyed hash, cut to the length of its ICV."""

    name: str
    ikev2: int
    """Transform ID, type 3."""
    key: int
    icv: int
    digest: str
    """Name of the underlying hash."""
    ikev1: int
    """Authentication Algorithm attribute value in phase 2 (RFC 2407, 4.5)."""
    ah: int
    """IPsec AH Transform Identifier (RFC 2407, 4.4.3)."""
    strength: Strength = Strength.SOUND
    because: str = ""


@dataclass(frozen=True, slots=True)
class Prf:
    """A pseudo-random function; its preferred key length is its output length (HMAC)."""

    name: str
    ikev2: int
    """Transform ID, type 2."""
    size: int
    digest: str
    ikev1: int
    """Hash Algorithm attribute value in phase 1."""
    strength: Strength = Strength.SOUND
    because: str = ""


class KeFamily(StrEnum):
    MODP = "modp"
    ECP = "ecp"
    CURVE = "curve"
    KEM = "kem"


@dataclass(frozen=True, slots=True)
class KeyExchangeMethod:
    """A way to agree on a shared secret: "DH group N" in configuration and text."""

    name: str
    ikev2: int
    """Transform ID, type 4; also the IKEv1 Group Description."""
    family: KeFamily
    bits: int
    public: int
    """Octets of the initiator's public value."""
    reply: int
    """Octets of the responder's: differs for a KEM, where it is the ciphertext."""
    strength: Strength = Strength.SOUND
    because: str = ""


_DES = "DES: 56-bit key, MUST NOT (RFC 8221, 5; RFC 8247, 2.1)"
_3DES = "3DES: 64-bit blocks, SHOULD NOT (RFC 8221, 5)"
_MD5 = "HMAC-MD5: MUST NOT (RFC 8221, 6; RFC 8247, 2.3)"
_SHA1 = "HMAC-SHA1: kept for old peers, MUST- on its way out (RFC 8221, 6; RFC 8247, 2.2 and 2.3)"
_NULL = "no encryption: the traffic can be read on the way (RFC 8221, 5)"
_SHORT_ICV = "8-octet ICV: forgery within reach of patience (RFC 8221, 5; RFC 8247, 2.1)"
_768 = "768-bit MODP: broken in practice, MUST NOT (RFC 8247, 2.4)"
_1024 = "1024-bit MODP: within reach of a state, SHOULD NOT (RFC 8247, 2.4)"
_1536 = "1536-bit MODP: SHOULD NOT (RFC 8247, 2.4)"
_W = Strength.WEAK


def _aes_cbc(bits: int) -> Encryption:
    return Encryption(f"aes-{bits}-cbc", 12, bits // 8, bits, 16, 16, ikev1=7, ikev1_esp=12)


def _aead(mode: str, number: int, bits: int, icv: int, salt: int) -> Encryption:
    name = f"aes-{bits}-{mode}" + ("" if icv == 16 else f"-{icv}")
    weak = (_W, _SHORT_ICV) if icv == 8 and mode == "gcm" else (Strength.SOUND, "")
    return Encryption(
        name, number, bits // 8, bits, 1, 8, salt, icv, ikev1_esp=number, strength=weak[0], because=weak[1]
    )


ENCRYPTION: tuple[Encryption, ...] = (
    *(_aead("gcm", 20, bits, 16, 4) for bits in (256, 192, 128)),
    *(_aead("gcm", 19, bits, 12, 4) for bits in (256, 192, 128)),
    *(_aead("gcm", 18, bits, 8, 4) for bits in (256, 192, 128)),
    Encryption("chacha20-poly1305", 28, 32, None, 1, 8, 4, 16),
    *(_aead("ccm", 16, bits, 16, 3) for bits in (256, 192, 128)),
    *(_aead("ccm", 15, bits, 12, 3) for bits in (256, 192, 128)),
    *(_aead("ccm", 14, bits, 8, 3) for bits in (256, 192, 128)),
    _aes_cbc(256),
    _aes_cbc(192),
    _aes_cbc(128),
    Encryption("3des", 3, 24, None, 8, 8, ikev1=5, ikev1_esp=3, strength=_W, because=_3DES),
    Encryption("des", 2, 8, None, 8, 8, ikev1=1, ikev1_esp=2, strength=_W, because=_DES),
    Encryption("null", 11, 0, None, 1, 0, ikev1_esp=11, ike=False, strength=_W, because=_NULL),
)

INTEGRITY: tuple[Integrity, ...] = (
    Integrity("sha512", 14, 64, 32, "sha512", ikev1=7, ah=7),
    Integrity("sha384", 13, 48, 24, "sha384", ikev1=6, ah=6),
    Integrity("sha256", 12, 32, 16, "sha256", ikev1=5, ah=5),
    Integrity("sha1", 2, 20, 12, "sha1", ikev1=2, ah=3, strength=_W, because=_SHA1),
    Integrity("md5", 1, 16, 12, "md5", ikev1=1, ah=2, strength=_W, because=_MD5),
)

PRF: tuple[Prf, ...] = (
    Prf("sha512", 7, 64, "sha512", ikev1=6),
    Prf("sha384", 6, 48, "sha384", ikev1=5),
    Prf("sha256", 5, 32, "sha256", ikev1=4),
    Prf("sha1", 2, 20, "sha1", ikev1=2, strength=_W, because=_SHA1),
    Prf("md5", 1, 16, "md5", ikev1=1, strength=_W, because=_MD5),
)


def _modp(group: int, bits: int, because: str = "") -> KeyExchangeMethod:
    strength = _W if because else Strength.SOUND
    return KeyExchangeMethod(f"group{group}", group, KeFamily.MODP, bits, bits // 8, bits // 8, strength, because)


def _ecp(group: int, bits: int) -> KeyExchangeMethod:
    size = 2 * ((bits + 7) // 8)
    return KeyExchangeMethod(f"group{group}", group, KeFamily.ECP, bits, size, size)


KEY_EXCHANGE: tuple[KeyExchangeMethod, ...] = (
    KeyExchangeMethod("group31", 31, KeFamily.CURVE, 255, 32, 32),
    KeyExchangeMethod("group32", 32, KeFamily.CURVE, 448, 56, 56),
    _ecp(19, 256),
    _ecp(20, 384),
    _ecp(21, 521),
    _modp(14, 2048),
    _modp(15, 3072),
    _modp(16, 4096),
    _modp(17, 6144),
    _modp(18, 8192),
    _modp(5, 1536, _1536),
    _modp(2, 1024, _1024),
    _modp(1, 768, _768),
    KeyExchangeMethod("ml-kem-768", 36, KeFamily.KEM, 768, 1184, 1088),
    KeyExchangeMethod("ml-kem-1024", 37, KeFamily.KEM, 1024, 1568, 1568),
)

NO_INTEGRITY_BECAUSE = "encryption without authentication can be altered, and so be read: MUST NOT (RFC 8221, 4)"

NO_INTEGRITY = 0
"""Transform ID NONE of type 3: what an AEAD suite carries, or omits."""

ENCRYPTION_BY_NAME = {row.name: row for row in ENCRYPTION}
INTEGRITY_BY_NAME = {row.name: row for row in INTEGRITY}
PRF_BY_NAME = {row.name: row for row in PRF}
KEY_EXCHANGE_BY_NAME = {row.name: row for row in KEY_EXCHANGE}

_ENCRYPTION_BY_ID = {(row.ikev2, row.key_bits): row for row in ENCRYPTION}
INTEGRITY_BY_ID = {row.ikev2: row for row in INTEGRITY}
PRF_BY_ID = {row.ikev2: row for row in PRF}
KEY_EXCHANGE_BY_ID = {row.ikev2: row for row in KEY_EXCHANGE}


def encryption_by_id(number: int, key_bits: int | None) -> Encryption | None:
    """The row of an encryption transform, or None if we do not have it."""
    return _ENCRYPTION_BY_ID.get((number, key_bits))
