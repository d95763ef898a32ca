"""Whether the process may do what a gateway does, asked before it begins."""

from __future__ import annotations

import resource
from pathlib import Path

NEEDED = {
    "CAP_NET_BIND_SERVICE": 10,
    "CAP_NET_ADMIN": 12,
    "CAP_NET_RAW": 13,
}
"""capabilities(7): port 500; links, routes and rules; plain ESP."""

_DESCRIPTORS = 65536
_STATUS = Path("/proc/self/status")


class NotPermitted(Exception):
    """Rights are missing, without which not one tunnel would come up."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        self.why = f"a gateway needs {', '.join(missing)}: run it as root, or as a service with these capabilities"
        super().__init__(self.why)


def require() -> None:
    """Raises `NotPermitted` if a capability is missing."""
    effective = _effective()
    if missing := tuple(name for name, bit in NEEDED.items() if not effective >> bit & 1):
        raise NotPermitted(missing)


def claim_descriptors() -> None:
    """Takes as many file descriptors as it may: each tunnel interface is one, and each local address ten or so.

    The limit that a shell hands on, 1024, is for programs that wait by select(2), which nothing here does.
    """
    present, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if most == resource.RLIM_INFINITY else min(_DESCRIPTORS, most)
    if present != resource.RLIM_INFINITY and present < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _effective() -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    raise RuntimeError("the kernel tells no capabilities")
