"""Ciphers with their own integrity. RFC 4106, RFC 4309, RFC 7634; in IKE: RFC 5282.

The nonce is the salt, which never travels, and the IV, which does.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from isthmus.crypto.integrity import IntegrityFailure
from isthmus.model.algorithms import Encryption

_FULL_ICV = 16


def aead(row: Encryption, key: bytes) -> Aead:
    """The AEAD of a row; `key` ends in the salt."""
    secret, salt = key[: row.key], key[row.key :]
    match row.ikev2:
        case 20:  # ENCR_AES_GCM_16
            return Aead(row, AESGCM(secret), salt)
        case 18 | 19:  # ENCR_AES_GCM_8, ENCR_AES_GCM_12
            return ShortGcm(row, secret, salt)
        case 14 | 15 | 16:  # ENCR_AES_CCM_8, _12, _16
            return Aead(row, AESCCM(secret, row.icv), salt)
        case 28:  # ENCR_CHACHA20_POLY1305
            return Aead(row, ChaCha20Poly1305(secret), salt)
    raise ValueError(f"{row.name} is no AEAD of ours")


class Aead:
    """An AEAD under its key."""

    __slots__ = ("_cipher", "_salt", "block", "icv", "iv")

    def __init__(self, row: Encryption, cipher: AESGCM | AESCCM | ChaCha20Poly1305, salt: bytes) -> None:
        self.iv, self.icv, self.block = row.iv, row.icv, row.block
        self._cipher = cipher
        self._salt = salt

    def seal(self, associated: bytes, iv: bytes, plaintext: bytes) -> bytes:
        if len(iv) != self.iv:
            raise ValueError(f"an IV of {self.iv} octets is due, not {len(iv)}")
        return iv + self._cipher.encrypt(self._salt + iv, plaintext, associated)

    def open(self, associated: bytes, body: bytes) -> bytes:
        if len(body) < self.iv + self.icv:
            raise IntegrityFailure
        try:
            return self._cipher.decrypt(self._salt + body[: self.iv], body[self.iv :], associated)
        except InvalidTag:
            raise IntegrityFailure from None


class ShortGcm(Aead):
    """AES-GCM with an ICV of 12 or 8 octets, which the library's one-call form does not open."""

    __slots__ = ("_aes",)

    def __init__(self, row: Encryption, secret: bytes, salt: bytes) -> None:
        super().__init__(row, AESGCM(secret), salt)
        self._aes = algorithms.AES(secret)

    def seal(self, associated: bytes, iv: bytes, plaintext: bytes) -> bytes:
        # RFC 4106, 6: a shorter ICV is the full one, cut.
        return super().seal(associated, iv, plaintext)[: self.icv - _FULL_ICV]

    def open(self, associated: bytes, body: bytes) -> bytes:
        if len(body) < self.iv + self.icv:
            raise IntegrityFailure
        nonce, icv = self._salt + body[: self.iv], body[-self.icv :]
        opener = Cipher(self._aes, modes.GCM(nonce, icv, min_tag_length=self.icv)).decryptor()
        opener.authenticate_additional_data(associated)
        plaintext = opener.update(body[self.iv : -self.icv])
        try:
            return plaintext + opener.finalize()
        except InvalidTag:
            raise IntegrityFailure from None
