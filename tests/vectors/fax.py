"""The answer files of NIST's validation programme (CAVS), and where they are found.

Blocks of `[name = value]` or `[name]` hold until the next block; each case under them is a list of `name = hex`.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `labels` are the names in brackets without a value: the hash."""

    number: int
    labels: tuple[str, ...]
    sizes: dict[str, int]
    values: dict[str, bytes]

    def __getitem__(self, name: str) -> bytes:
        return self.values[name]


def complete_set(name: str) -> Path | None:
    """The whole set, as NIST published it: in $ISTHMUS_VECTORS, or in `shared/vectors` beside the repository."""
    beside = HERE.parents[2] / "shared" / "vectors"
    path = Path(os.environ.get("ISTHMUS_VECTORS", beside)) / name
    return path if path.is_file() else None


def read(path: Path) -> Iterator[Case]:
    """The cases of a file, packed or not."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    labels: list[str] = []
    sizes: dict[str, int] = {}
    case: Case | None = None
    for line in text.decode("ascii").splitlines():
        name, equals, value = (part.strip() for part in line.strip().strip("[]").partition("="))
        if not name or name.startswith("#"):
            continue
        if line.startswith("["):
            if case is not None:
                yield case
                case, labels, sizes = None, [], {}
            if equals:
                sizes[name] = int(value)
            else:
                labels.append(name)
        elif name == "COUNT":
            if case is not None:
                yield case
            case = Case(int(value), tuple(labels), dict(sizes), {})
        elif case is not None:
            case.values[name] = bytes.fromhex(value)
    if case is not None:
        yield case
