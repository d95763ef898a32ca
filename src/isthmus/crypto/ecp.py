"""Elliptic curve groups modulo a prime. RFC 5903; RFC 6989, 2.3."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from isthmus.crypto.key_share import Entropy, InvalidPublicValue, check_size
from isthmus.model.algorithms import KeyExchangeMethod

_CURVES: Final[dict[int, ec.EllipticCurve]] = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
_ECDH: Final = ec.ECDH()
_UNCOMPRESSED: Final = b"\x04"
"""SEC 1, 2.3.3: the octet that IKE leaves out before x | y."""

_EXTRA_OCTETS: Final = 8
"""FIPS 186-5, A.2.1: drawn beyond the order, so that the remainder is even to one in 2^64."""


class EcpShare:
    """A scalar of ours, and its point."""

    __slots__ = ("_key", "_method", "public")

    def __init__(self, method: KeyExchangeMethod, entropy: Entropy) -> None:
        self._method = method
        curve = _CURVES[method.bits]
        self._key = ec.derive_private_key(_scalar(curve, entropy), curve)
        # RFC 5903, 7: x | y, each as long as the field.
        self.public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]

    def agree(self, peer: bytes) -> bytes:
        return self.agree_with(public_key(self._method, peer))

    def agree_with(self, peer: ec.EllipticCurvePublicKey) -> bytes:
        # RFC 5903, 7: the x coordinate alone is the shared secret.
        return self._key.exchange(_ECDH, peer)


def answer(method: KeyExchangeMethod, entropy: Entropy, peer: bytes) -> tuple[bytes, bytes]:
    theirs = public_key(method, peer)
    ours = EcpShare(method, entropy)
    return ours.public, ours.agree_with(theirs)


def public_key(method: KeyExchangeMethod, octets: bytes) -> ec.EllipticCurvePublicKey:
    """The peer's point, checked: both coordinates below p, and on the curve. Infinity has no such form."""
    check_size(method, octets, method.public)
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[method.bits], _UNCOMPRESSED + octets)
    except ValueError:
        raise InvalidPublicValue(method, "not a point of the curve") from None


def _scalar(curve: ec.EllipticCurve, entropy: Entropy) -> int:
    order = curve.group_order
    drawn = int.from_bytes(entropy((order.bit_length() + 7) // 8 + _EXTRA_OCTETS))
    return 1 + drawn % (order - 1)
