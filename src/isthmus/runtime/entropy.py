"""The real source of unpredictable octets."""

from __future__ import annotations

import secrets


class SystemEntropy:
    """The operating system's generator, behind `engine.surroundings.Entropy`."""

    def octets(self, count: int) -> bytes:
        return secrets.token_bytes(count)
