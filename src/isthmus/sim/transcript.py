"""What was said and done last, for the report of a failure."""

from __future__ import annotations

import hashlib
import struct
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from isthmus.model.quantities import Instant

REMEMBERED = 60
"""Lines shown on failure: several exchanges of both ends, and still one screen."""

Line: TypeAlias = str | Callable[[], str]
"""Text, or what makes it: nearly all runs go well, and then nobody reads their lines."""


class Transcript:
    """The last lines of the story, and a digest over all that crossed the wire: equal seeds give equal digests."""

    def __init__(self, remembered: int | None = REMEMBERED) -> None:
        self._lines: deque[tuple[Instant, str, Line]] = deque(maxlen=remembered)
        self._digest = hashlib.blake2b(digest_size=16)

    def note(self, now: Instant, who: str, line: Line) -> None:
        self._lines.append((now, who, line))

    def feed(self, now: Instant, octets: bytes) -> None:
        """Counts for the digest without showing: what went on the wire, and when."""
        self._digest.update(struct.pack("!d", now))
        self._digest.update(octets)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(
            f"{now:12.6f}  {who:<8} {line if isinstance(line, str) else line()}" for now, who, line in self._lines
        )

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()
