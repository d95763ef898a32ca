"""Quantities as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

_STEPS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")


def span(seconds: float | None) -> str:
    """`2h 5m`: the two greatest units; `-` for none."""
    if seconds is None:
        return "-"
    rest, words = round(seconds), []
    for unit, size in _STEPS:
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words[:2]) or "0s"


def age(at: str | None) -> str:
    """How long ago an ISO 8601 time was."""
    if at is None:
        return "-"
    return span(max(0.0, (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()))


def size(octets: int) -> str:
    """`1.2 MB`, in powers of a thousand."""
    value = float(octets)
    for unit in _SIZES:
        if value < 1000 or unit == _SIZES[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{octets} B"
