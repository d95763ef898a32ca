"""What a process has used, as the kernel counts it, and which kernel that is."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def spent(process: int) -> float:
    """Seconds of processor time of all its threads, to the nanosecond."""
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def resident(process: int) -> float:
    """Kilobytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def kernel() -> str:
    """Its version as far as others have the same: `6.18`."""
    return ".".join(platform.release().split(".")[:2])
