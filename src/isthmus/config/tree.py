"""The YAML document as a tree in which every node and key knows its place.

Scalars stay text: what kind of value a text is, its option decides. So `no`, `012`, `1.10` or `1e5` are never
turned into something else on the way, whatever YAML version somebody has in mind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from isthmus.config.place import Place

Path: TypeAlias = tuple[str | int, ...]


class Quoted(str):
    """A scalar that stood in quotes or in a block, so that it is text and nothing else."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ScalarNode:
    place: Place
    text: str | None
    """None: null, or no value at all."""
    size: int = 1


@dataclass(frozen=True, slots=True)
class SequenceNode:
    place: Place
    items: tuple[Node, ...]
    size: int = 1
    """Nodes in the subtree, with every alias counted as what it stands for."""


@dataclass(frozen=True, slots=True)
class Entry:
    key: Place
    value: Node


@dataclass(frozen=True, slots=True)
class MappingNode:
    place: Place
    entries: Mapping[str, Entry] = field(default_factory=dict)
    size: int = 1


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


def plain(node: Node) -> object:
    """The node as dictionaries, lists, text and None."""
    match node:
        case ScalarNode():
            return node.text
        case SequenceNode():
            return [plain(item) for item in node.items]
        case MappingNode():
            return {key: plain(entry.value) for key, entry in node.entries.items()}


def is_empty(node: Node) -> bool:
    """Whether nothing stands here: no value, `{}` or `[]`."""
    match node:
        case ScalarNode():
            return node.text is None
        case SequenceNode():
            return not node.items
        case MappingNode():
            return not node.entries


def find(root: MappingNode, pattern: str) -> Iterator[tuple[Path, Place, Node]]:
    """Path, place of the key, and node of whatever stands at `section/*/option`; `*` is any name."""
    yield from _matches(root, tuple(pattern.split("/")), ())


def _matches(node: Node, pattern: tuple[str, ...], path: Path) -> Iterator[tuple[Path, Place, Node]]:
    if not isinstance(node, MappingNode):
        return
    step, rest = pattern[0], pattern[1:]
    for name in list(node.entries) if step == "*" else [step]:
        entry = node.entries.get(name)
        if entry is None:
            continue
        if rest:
            yield from _matches(entry.value, rest, (*path, name))
        else:
            yield (*path, name), entry.key, entry.value


class Places:
    """Finds the line behind a noun of the plan: `places.of("ike-gateways", "branch", "peer-address")`."""

    def __init__(self, root: MappingNode) -> None:
        self._root = root

    def of(self, *path: str | int) -> Place:
        """The place of the option's key; of the nearest noun around it where the option is left to its default."""
        place = self._root.place
        for key, _ in self._walk(path):
            place = key
        return place

    def value(self, *path: str | int) -> Place:
        """The place of the option's value. As `of` where it is not given, or begins on a line below its key."""
        steps = list(self._walk(path))
        if len(steps) < len(path) or not steps:
            return self.of(*path)
        key, node = steps[-1]
        return node.place if isinstance(node, ScalarNode) or node.place.line == key.line else key

    def has(self, *path: str | int) -> bool:
        """Whether the option is written down."""
        return sum(1 for _ in self._walk(path)) == len(path)

    def _walk(self, path: Path) -> Iterator[tuple[Place, Node]]:
        node: Node = self._root
        for step in path:
            match node, step:
                case MappingNode(), str() if step in node.entries:
                    entry = node.entries[step]
                    key, node = entry.key, entry.value
                case SequenceNode(), int() if 0 <= step < len(node.items):
                    node = node.items[step]
                    key = node.place
                case _:
                    return
            yield key, node
