"""Every fact: its code, its severity, its one line."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import string
import types
import typing
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest

import isthmus.events
from isthmus.events.event import Event, Severity
from isthmus.events.ike import FailureReason
from isthmus.events.message import Trigger
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Instant
from isthmus.model.secret import Secret

EVIL = "\x1b[2J\n{peer.__class__}"
"""What a peer might put into a name: control characters, and braces that a careless format would fill in."""


def _catalogue() -> list[type[Event]]:
    for module in pkgutil.iter_modules(isthmus.events.__path__):
        importlib.import_module(f"isthmus.events.{module.name}")
    return sorted((kind for kind in _descendants(Event) if "code" in vars(kind)), key=lambda kind: kind.code)


def _descendants(kind: type[Event]) -> Iterator[type[Event]]:
    for child in kind.__subclasses__():
        # A slotted dataclass is made twice; the one that its module holds is the real one.
        if getattr(importlib.import_module(child.__module__), child.__name__, None) is child:
            yield child
            yield from _descendants(child)


CATALOGUE = _catalogue()
each_kind = pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.code)


def _sample(hint: Any, text: str) -> Any:
    """A value of the annotated type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return (_sample(arguments[0], text),) * 2
    if origin in (types.UnionType, typing.Union):
        return _sample(arguments[0], text)
    samples: dict[Any, Any] = {
        str: text,
        int: 3,
        float: 1.5,
        bool: True,
        Instant: Instant(7.0),
        IPv4Address: IPv4Address("192.0.2.1"),
        Endpoint: Endpoint(IPv4Address("192.0.2.1"), 500),
        FailureReason: FailureReason.NO_ANSWER,
        Trigger: Trigger.MALFORMED,
    }
    return samples[hint]


def _made(kind: type[Event], text: str = "word") -> Event:
    hints = typing.get_type_hints(kind)
    return kind(**{field.name: _sample(hints[field.name], text) for field in dataclasses.fields(kind)})


def test_the_catalogue_is_not_empty() -> None:
    assert len(CATALOGUE) >= 40


def test_no_two_facts_share_a_code() -> None:
    counts = Counter(kind.code for kind in CATALOGUE)
    assert [code for code, count in counts.items() if count > 1] == []


@each_kind
def test_a_code_is_an_area_and_what_happened(kind: type[Event]) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*", kind.code)
    assert isinstance(kind.severity, Severity)


@each_kind
def test_a_story_is_one_line_made_of_the_fields(kind: type[Event]) -> None:
    named = {name.partition(".")[0] for _, name, _, _ in string.Formatter().parse(kind.story) if name}
    assert named <= {field.name for field in dataclasses.fields(kind)}
    told = _made(kind).tell()
    assert "\n" not in told
    assert "{" not in told


@each_kind
def test_what_a_peer_puts_into_a_word_is_never_filled_in(kind: type[Event]) -> None:
    told = _made(kind, EVIL).tell()
    assert "<class" not in told


@each_kind
def test_a_fact_is_not_changed_afterwards(kind: type[Event]) -> None:
    event = _made(kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.peer = "another"  # type: ignore[misc]
    assert event == _made(kind)


@each_kind
def test_no_fact_holds_a_secret(kind: type[Event]) -> None:
    assert not any(Secret in (hint, *typing.get_args(hint)) for hint in typing.get_type_hints(kind).values())


@each_kind
def test_a_fact_may_be_about_no_peer_in_particular(kind: type[Event]) -> None:
    given = {name: getattr(_made(kind), name) for name in (f.name for f in dataclasses.fields(kind))}
    assert kind(**{**given, "peer": None, "ike": None}).tell()


@pytest.mark.parametrize("words", [FailureReason, Trigger, Severity])
def test_the_words_that_programs_read_are_in_kebab_case(words: type[FailureReason | Trigger | Severity]) -> None:
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word.value) for word in words)
