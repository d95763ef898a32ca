"""Ciphers that need an integrity algorithm beside them. RFC 7296, 3.14: the ICV covers all that precedes it."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, modes

from isthmus.crypto.block_cipher import block_cipher
from isthmus.crypto.integrity import Authenticator, IntegrityFailure
from isthmus.model.algorithms import Encryption


class EncryptThenMac:
    """A cipher in CBC mode, or none at all, and an integrity algorithm over the result."""

    __slots__ = ("_authenticator", "_cipher", "block", "icv", "iv")

    def __init__(self, row: Encryption, key: bytes, authenticator: Authenticator) -> None:
        self.iv, self.icv, self.block = row.iv, authenticator.size, row.block
        self._cipher = block_cipher(row, key)
        self._authenticator = authenticator

    def seal(self, associated: bytes, iv: bytes, plaintext: bytes) -> bytes:
        if len(iv) != self.iv:
            raise ValueError(f"an IV of {self.iv} octets is due, not {len(iv)}")
        if len(plaintext) % self.block:
            raise ValueError(f"{len(plaintext)} octets are no whole blocks of {self.block}")
        body = iv + self._encrypt(iv, plaintext)
        return body + self._authenticator.icv(associated, body)

    def open(self, associated: bytes, body: bytes) -> bytes:
        size = len(body) - self.iv - self.icv
        if size < 0 or size % self.block:
            raise IntegrityFailure
        # Nothing is decrypted before its ICV is known to be right: no padding oracle.
        self._authenticator.verify(body[-self.icv :], associated, body[: -self.icv])
        return self._decrypt(body[: self.iv], body[self.iv : -self.icv])

    def _encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        if self._cipher is None:
            return plaintext
        running = Cipher(self._cipher, modes.CBC(iv)).encryptor()
        return running.update(plaintext) + running.finalize()

    def _decrypt(self, iv: bytes, ciphertext: bytes) -> bytes:
        if self._cipher is None:
            return ciphertext
        running = Cipher(self._cipher, modes.CBC(iv)).decryptor()
        return running.update(ciphertext) + running.finalize()
