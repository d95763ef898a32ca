"""Several files as one configuration: sections join, and what is defined twice is an error with both places."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.config.place import Place
from isthmus.config.problems import DUPLICATE, Problems
from isthmus.config.tree import Entry, MappingNode, Path, SequenceNode


def merge(roots: Sequence[MappingNode], file: str, problems: Problems) -> MappingNode:
    """The sections of all files. Tables of names and settings join; lists follow each other, file by file."""
    merged = MappingNode(Place(file))
    for root in roots:
        merged = _together(merged, root, (), problems)
    return roots[0] if len(roots) == 1 else merged


def _together(one: MappingNode, other: MappingNode, path: Path, problems: Problems) -> MappingNode:
    entries = dict(one.entries)
    for name, addition in other.entries.items():
        before = entries.get(name)
        entries[name] = addition if before is None else _joined((*path, name), before, addition, problems)
    return MappingNode(one.place, entries, one.size + other.size)


def _joined(path: Path, before: Entry, addition: Entry, problems: Problems) -> Entry:
    match before.value, addition.value:
        case MappingNode() as one, MappingNode() as other if _is_table(path):
            return Entry(before.key, _together(one, other, path, problems))
        case SequenceNode() as one, SequenceNode() as other if len(path) == 1:
            return Entry(before.key, SequenceNode(one.place, one.items + other.items, one.size + other.size))
        case _:
            text = f'"{path[-1]}" is already defined at {before.key}'
            problems.add(DUPLICATE, addition.key, text)
            return before


def _is_table(path: Path) -> bool:
    """Whether several files may add to what stands here: a section, or the routes of a virtual router."""
    return len(path) == 1 or (path[0] == "virtual-routers" and len(path) <= 3)
