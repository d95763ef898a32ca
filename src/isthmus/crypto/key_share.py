"""What every key exchange method gives: a value to send, and a secret once the peer's value is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from isthmus.model.algorithms import KeyExchangeMethod

Entropy: TypeAlias = Callable[[int], bytes]
"""So many unpredictable octets."""


class InvalidPublicValue(Exception):
    """The peer's value must not be used. RFC 6989; RFC 7748, 6; FIPS 203, 7.2."""

    def __init__(self, method: KeyExchangeMethod, why: str) -> None:
        super().__init__(f"{method.name}: {why}")
        self.why = why


class KeyShare(Protocol):
    """Our side of one key exchange: used for one IKE or Child SA, then forgotten (RFC 7296, 2.12)."""

    @property
    def public(self) -> bytes:
        """What the KE payload carries."""

    def agree(self, peer: bytes) -> bytes:
        """The shared secret; InvalidPublicValue if the peer's value is none."""


def check_size(method: KeyExchangeMethod, octets: bytes, due: int) -> None:
    """RFC 7296, 3.4: the length of a value is fixed by its method."""
    if len(octets) != due:
        raise InvalidPublicValue(method, f"{len(octets)} octets instead of {due}")
