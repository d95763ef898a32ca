"""The real clock."""

from __future__ import annotations

import time

from isthmus.model.quantities import Instant


def now() -> Instant:
    """Monotonic seconds: setting the calendar moves no lifetime."""
    return Instant(time.monotonic())
