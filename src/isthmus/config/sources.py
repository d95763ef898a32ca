"""Finds and reads the files of a configuration: one file, or every `*.yaml` of a directory."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from isthmus.config.place import Place
from isthmus.config.problems import SYNTAX, TOO_LARGE, UNREADABLE, Problems

MAX_OCTETS = 8 * 1024 * 1024
"""Of all files together: ten times what a thousand tunnels take."""
MAX_FILES = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """One file, read."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Sources:
    files: tuple[Source, ...]
    complete: bool
    """Whether every file was read. If not, a name that is not found may well be defined."""


class Unreadable(Exception):
    """A file that cannot be had. The text says why, in words for the operator."""


def read_sources(path: Path, problems: Problems) -> Sources:
    """The files in the order of their names; what cannot be had is a problem."""
    try:
        files = _files(path)
    except (OSError, ValueError, Unreadable) as error:
        problems.add(UNREADABLE, Place(str(path)), why(error))
        return Sources((), complete=False)
    sources: list[Source] = []
    left = MAX_OCTETS
    for file in files:
        place = Place(str(file))
        try:
            octets = read_regular(file, left)
        except (OSError, ValueError, Unreadable) as error:
            problems.add(UNREADABLE, place, why(error))
            continue
        left -= len(octets)
        if left < 0:
            problems.add(TOO_LARGE, place, f"the configuration is larger than {MAX_OCTETS} octets")
            break
        text = _decode(octets, place, problems)
        if text is not None:
            sources.append(Source(str(file), text))
    return Sources(tuple(sources), complete=len(sources) == len(files))


def read_regular(path: Path, limit: int) -> bytes:
    """At most `limit` octets and one more of a regular file: a device or a pipe may never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("not a regular file")
        return file.read(limit + 1)


def why(error: OSError | ValueError | Unreadable) -> str:
    """The reason without the path: that stands before it already."""
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return str(error)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(f for f in path.glob("*.yaml") if not f.name.startswith("."))
    if not files:
        raise Unreadable("the directory holds no *.yaml file")
    if len(files) > MAX_FILES:
        raise Unreadable(f"the directory holds more than {MAX_FILES} files")
    return files


def _decode(octets: bytes, place: Place, problems: Problems) -> str | None:
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = octets[: error.start].decode("utf-8-sig", "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        problems.add(SYNTAX, Place(place.file, line, column), "the text is not UTF-8")
        return None
