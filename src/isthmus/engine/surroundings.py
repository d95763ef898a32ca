"""What is injected into the core besides bytes and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Entropy(Protocol):
    """Unpredictable octets: the operating system's in production, a seeded stream in the simulation."""

    def octets(self, count: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    entropy: Entropy
