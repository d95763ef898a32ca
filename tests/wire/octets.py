"""Octets that others wrote: the corpus of captures and published vectors."""

from __future__ import annotations

from pathlib import Path

CORPUS = Path(__file__).parents[2] / "fuzz" / "corpus"


def captured(name: str) -> bytes:
    lines = (CORPUS / f"{name}.hex").read_text().splitlines()
    return bytes.fromhex("".join(line for line in lines if not line.startswith("#")))
