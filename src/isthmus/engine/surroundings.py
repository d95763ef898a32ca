"""What is injected into the core besides bytes and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from isthmus.crypto import kem, kex


class Entropy(Protocol):
    """Unpredictable octets: the operating system's in production, a seeded stream in the simulation."""

    def octets(self, count: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    entropy: Entropy
    encapsulate: kex.Encapsulate = kem.encapsulate
    """ML-KEM's half of the replier. The library's draws from the operating system by itself; where the same seed is to
    tell the same story, another is brought."""
