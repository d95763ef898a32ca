"""The block ciphers of the algorithm table, and CBC alone, as IKE version 1 uses it."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, algorithms, modes

from isthmus.crypto.legacy import triple_des
from isthmus.model.algorithms import Encryption


def block_cipher(row: Encryption, key: bytes) -> BlockCipherAlgorithm | None:
    """The cipher of a row; None for null encryption. ValueError for what is no block cipher of ours."""
    match row.ikev2:
        case 12:  # ENCR_AES_CBC
            return algorithms.AES(key)
        case 2 | 3:  # ENCR_DES, ENCR_3DES
            return triple_des(key)
        case 11:  # ENCR_NULL
            return None
    raise ValueError(f"{row.name} is no cipher of ours")


class Cbc:
    """CBC without integrity: whoever uses it authenticates what it protects by other means (RFC 2409, 5)."""

    __slots__ = ("_cipher", "block")

    def __init__(self, row: Encryption, key: bytes) -> None:
        cipher = block_cipher(row, key)
        if cipher is None:
            raise ValueError(f"{row.name} does not encrypt")
        self._cipher = cipher
        self.block = row.block

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """Whole blocks only."""
        running = Cipher(self._cipher, modes.CBC(iv)).encryptor()
        return running.update(plaintext) + running.finalize()

    def decrypt(self, iv: bytes, ciphertext: bytes) -> bytes:
        """ValueError for what is not whole blocks."""
        running = Cipher(self._cipher, modes.CBC(iv)).decryptor()
        return running.update(ciphertext) + running.finalize()
