"""What was said and done last, for the report of a failure."""

from __future__ import annotations

import hashlib
from collections import deque

from isthmus.model.quantities import Instant

REMEMBERED = 60
"""Lines shown on failure: several exchanges of both ends, and still one screen."""


class Transcript:
    """The last lines of the story, and a digest over all of them: equal seeds give equal digests."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._lines: deque[str] = deque(maxlen=remembered)
        self._digest = hashlib.blake2b(digest_size=16)

    def note(self, now: Instant, who: str, line: str) -> None:
        text = f"{now:12.6f}  {who:<8} {line}"
        self._lines.append(text)
        self._digest.update(text.encode())

    def feed(self, octets: bytes) -> None:
        """Counts for the digest without showing: the octets on the wire."""
        self._digest.update(octets)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self._lines)

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()
