"""Our own bugs, told without the data that they met."""

from __future__ import annotations

import traceback
from pathlib import Path

from isthmus.events.runtime import RuntimeFault
from isthmus.model.quantities import Instant

DEPTH = 12
"""Innermost frames that are told."""


def fault(doing: str, error: BaseException, at: Instant) -> RuntimeFault:
    """The event. Messages of exceptions may quote keys and configuration, so only types and places are kept."""
    frames = traceback.extract_tb(error.__traceback__)[-DEPTH:]
    trace = tuple(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return RuntimeFault(at=at, doing=doing, error=type(error).__name__, trace=trace)
