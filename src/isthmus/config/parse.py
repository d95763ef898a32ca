"""YAML text to a tree with places. Bounded in nesting and number; aliases are counted as what they stand for."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from isthmus.config.place import Place
from isthmus.config.problems import DUPLICATE, SYNTAX, TOO_LARGE, Code, Problems
from isthmus.config.tree import Entry, MappingNode, Node, Quoted, ScalarNode, SequenceNode

MAX_DEPTH = 16
"""The deepest option stands at ten."""
MAX_NODES = 300_000
"""A thousand gateways with two proxy IDs each need some 50,000; ten aliases of aliases would make billions."""
MAX_ITEMS = 10_000
"""The longest list is that of the security policies."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_QUOTATION = re.compile(r"\s*'[^']{2,}'")


def parse(text: str, file: str, problems: Problems) -> MappingNode | None:
    """The document as a mapping; None where it is not one, and `problems` says why."""
    try:
        root = _Builder(text, file, problems).document()
    except _Stop as stop:
        problems.add(stop.code, stop.place, stop.text)
        return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(SYNTAX, _place(file, mark), _without_quotations(error))
        return None
    except Exception as error:  # the parser's own surprises: an odd character, a number out of bounds
        line = text.count("\n", 0, getattr(error, "position", 0) or 0) + 1
        problems.add(SYNTAX, Place(file, line), "the text cannot be read as YAML")
        return None
    if root is None or (isinstance(root, ScalarNode) and root.text is None):
        return MappingNode(Place(file))
    if not isinstance(root, MappingNode):
        problems.add(SYNTAX, root.place, "the document is not a mapping of sections")
        return None
    return root


class _Stop(Exception):
    """Reading on makes no sense."""

    def __init__(self, code: Code, place: Place, text: str) -> None:
        self.code, self.place, self.text = code, place, text
        super().__init__(text)


class _Builder:
    """Builds one document from the parser's events, which come one at a time: a bomb is never unpacked."""

    def __init__(self, text: str, file: str, problems: Problems) -> None:
        yaml = YAML(typ="safe", pure=True)
        self._events: Iterator[Event] = iter(yaml.parse(io.StringIO(text)))
        self._file = file
        self._problems = problems
        self._anchors: dict[str, Node | None] = {}
        self._nodes = 0

    def document(self) -> Node | None:
        root: Node | None = None
        seen = False
        for event in self._events:
            if not isinstance(event, DocumentStartEvent):
                continue
            if seen:
                raise self._stop(SYNTAX, event, "a second document begins here; one file holds one")
            seen = True
            root = self._node(next(self._events), 1)
        return root

    def _node(self, event: Event, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        if not isinstance(event, CollectionStartEvent | ScalarEvent):
            raise self._stop(SYNTAX, event, "a value is wanted here")
        if depth > MAX_DEPTH:
            raise self._stop(TOO_LARGE, event, f"nested more than {MAX_DEPTH} deep")
        self._count(event, 1)
        # The name of a tag, alias or anchor is not repeated: it may be a secret that wanted quotes.
        if event.tag is not None and str(event.tag) != "!":
            raise self._stop(SYNTAX, event, "a tag: a value that begins with ! stands in quotes")
        anchor: str | None = event.anchor
        if anchor is not None:
            self._anchors[anchor] = None
        node: Node
        if isinstance(event, ScalarEvent):
            node = ScalarNode(_place(self._file, event.start_mark), _text(event))
        elif isinstance(event, SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _sequence(self, start: Event, depth: int) -> SequenceNode:
        items: list[Node] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event, depth + 1))
            if len(items) > MAX_ITEMS:
                raise self._stop(TOO_LARGE, start, f"a list of more than {MAX_ITEMS} items")
        return SequenceNode(_place(self._file, start.start_mark), tuple(items), 1 + sum(i.size for i in items))

    def _mapping(self, start: Event, depth: int) -> MappingNode:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if isinstance(value, ScalarNode) and value.text is None:
                value = ScalarNode(key.place, None)  # nothing stands nowhere
            if not isinstance(key, ScalarNode) or key.text is None:
                self._problems.add(SYNTAX, key.place, "a key is a word")
            elif key.text == "<<" and not isinstance(key.text, Quoted):
                self._problems.add(SYNTAX, key.place, "YAML 1.2 has no merge keys; write the options out")
            elif key.text in entries:
                before = entries[key.text].key
                self._problems.add(DUPLICATE, key.place, f'"{key.text}" is already given at {before}')
            else:
                entries[str(key.text)] = Entry(key.place, value)
        size = 1 + sum(1 + entry.value.size for entry in entries.values())
        return MappingNode(_place(self._file, start.start_mark), entries, size)

    def _alias(self, event: AliasEvent) -> Node:
        if event.anchor not in self._anchors:
            raise self._stop(SYNTAX, event, "an alias without its anchor: a value that begins with * stands in quotes")
        node = self._anchors[event.anchor]
        if node is None:
            raise self._stop(SYNTAX, event, "an alias within what it stands for")
        self._count(event, node.size)
        return node

    def _count(self, event: Event, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise self._stop(TOO_LARGE, event, f"more than {MAX_NODES} values, aliases counted as what they stand for")

    def _stop(self, code: Code, event: Event, text: str) -> _Stop:
        return _Stop(code, _place(self._file, event.start_mark), text)


def _text(event: ScalarEvent) -> str | None:
    value = str(event.value)
    if event.style:
        return Quoted(value)
    return None if value in _NULL else value


def _place(file: str, mark: StreamMark | None) -> Place:
    return Place(file, mark.line + 1, mark.column + 1) if mark is not None else Place(file)


def _without_quotations(error: MarkedYAMLError) -> str:
    """The parser's words, without those it quotes from the file: they may be a secret that wanted quotes."""
    words = ", ".join(part for part in (error.context, error.problem) if part)
    return _QUOTATION.sub("", words) or "the text cannot be read as YAML"
