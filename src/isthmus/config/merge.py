"""Several files as one configuration: sections join, and what is defined twice is an error with both places."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.config.place import Place
from isthmus.config.problems import DUPLICATE, Problems
from isthmus.config.tree import Entry, MappingNode, SequenceNode


def merge(roots: Sequence[MappingNode], file: str, problems: Problems) -> MappingNode:
    """The sections of all files. Tables of names and settings join; lists follow each other, file by file."""
    if len(roots) == 1:
        return roots[0]
    sections: dict[str, Entry] = {}
    for root in roots:
        for name, entry in root.entries.items():
            before = sections.get(name)
            sections[name] = entry if before is None else _joined(name, before, entry, problems)
    return MappingNode(Place(file), sections, sum(root.size for root in roots))


def _joined(section: str, before: Entry, entry: Entry, problems: Problems) -> Entry:
    match before.value, entry.value:
        case MappingNode() as one, MappingNode() as other:
            entries = dict(one.entries)
            for name, addition in other.entries.items():
                if name in entries:
                    text = f'"{name}" of {section} is already defined at {entries[name].key}'
                    problems.add(DUPLICATE, addition.key, text)
                else:
                    entries[name] = addition
            return Entry(before.key, MappingNode(one.place, entries, one.size + other.size))
        case SequenceNode() as one, SequenceNode() as other:
            return Entry(before.key, SequenceNode(one.place, one.items + other.items, one.size + other.size))
        case _:
            # Only one can be what the section wants; the other is reported for what it is.
            return before if isinstance(before.value, MappingNode) else entry
