"""YAML to a tree: places, text that stays text, and bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.config.parse import MAX_DEPTH, parse
from isthmus.config.problems import Problems
from isthmus.config.schema.json_schema import json_schema
from isthmus.config.tree import Places, Quoted, plain
from tests.config.writing import SOUND, read


def _read(text: str) -> tuple[Any, list[str]]:
    problems = Problems()
    root = parse(text, "f.yaml", problems)
    return (None if root is None else plain(root)), [str(problem) for problem in problems.sorted()]


@pytest.mark.parametrize(
    "text", ["no", "on", "012", "0x1F", "1_000", "1e5", "1.10", "12:30:00", ".inf", "2026-01-01", "="]
)
def test_no_scalar_is_taken_for_something_else(text: str) -> None:
    assert _read(f"a: {text}\n") == ({"a": text}, [])


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_none(text: str) -> None:
    assert _read(f"a: {text}\n") == ({"a": None}, [])


def test_quotes_make_text_of_anything() -> None:
    tree, problems = _read("a: 'null'\nb: \"\"\nc: |\n  true\n")
    assert tree == {"a": "null", "b": "", "c": "true\n"}
    assert all(isinstance(value, Quoted) for value in tree.values())
    assert problems == []


def test_places_count_characters_and_lines_from_one() -> None:
    root = parse("ä: {ö: x,\n   ü: [1,  y]}\n", "f.yaml", Problems())
    assert root is not None
    places = Places(root)
    assert str(places.of("ä", "ü")) == "f.yaml:2:4"
    assert str(places.value("ä", "ö")) == "f.yaml:1:8"
    assert str(places.value("ä", "ü", 1)) == "f.yaml:2:12"


def test_an_alias_is_what_its_anchor_is() -> None:
    assert _read("a: &it {x: 1}\nb: *it\n") == ({"a": {"x": "1"}, "b": {"x": "1"}}, [])


def test_a_bomb_of_aliases_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    tree, problems = _read("\n".join(lines))
    assert tree is None
    assert [problem.split(": ")[1] for problem in problems] == ["TOO-LARGE"]


def test_an_alias_within_its_own_anchor_is_refused() -> None:
    tree, problems = _read("a: &a [*a]\n")
    assert tree is None
    assert "f.yaml:1:8: SYNTAX" in problems[0]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_nesting_is_bounded(opening: str) -> None:
    tree, problems = _read("a:\n " + opening * 100_000)
    assert tree is None
    assert f"TOO-LARGE: nested more than {MAX_DEPTH} deep" in problems[0]


@pytest.mark.parametrize(
    "text",
    ["*hunter2", "!hunter2", "!hunter2 x", "&hunter2 *hunter3", "!a!hunter2 x", "!<hunter2> x", "@hunter2", "%hunter2"],
)
def test_a_secret_that_wanted_quotes_is_not_repeated(text: str) -> None:
    document = read(f"ike-gateways: {{b: {{authentication: {{pre-shared-key: {text}}}}}}}\n")
    assert document.problems
    assert "hunter" not in "".join(f"{problem} {problem.suggestion}" for problem in document.problems)


@pytest.mark.parametrize(
    "octets", [b"a: \xff\xfe", b"zones:\n  \xe4: {}", b"\x00", b"a: \x07", b"\xef\xbb\xbfzones: {}\xff"]
)
def test_octets_that_are_no_text_are_a_problem(octets: bytes) -> None:
    assert [problem.code.name for problem in read(octets).problems] == ["SYNTAX"]


def test_a_byte_order_mark_is_no_text() -> None:
    assert read(b"\xef\xbb\xbfzones: {}").problems == ()


def test_the_place_of_a_wrong_octet_is_told() -> None:
    problem = read("zones: {ä: {},\n  ö".encode() + b"\xff").problems[0]
    assert (problem.place.line, problem.place.column) == (2, 4)


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_text_gives_problems_and_nothing_else(text: str) -> None:
    _read(text)


@given(st.binary(max_size=100))
@settings(deadline=None, max_examples=50)
def test_any_octets_give_problems_and_nothing_else(octets: bytes) -> None:
    read(octets)


_YAML = st.text(alphabet="ab0:-[]{},'\"|>&*!%@#?\n\t <~\\", max_size=60)


@given(_YAML)
@settings(deadline=None, max_examples=150)
def test_the_signs_of_yaml_in_any_order_give_problems_and_nothing_else(text: str) -> None:
    read(text)


def _words(schema: Any) -> set[str]:
    """Every option and every word that the schema knows."""
    if isinstance(schema, list):
        return set().union(*map(_words, schema))
    if not isinstance(schema, dict):
        return set()
    own = {*schema.get("properties", ()), *(str(word) for word in schema.get("enum", ()))}
    return own.union(*map(_words, schema.values()))


_WORDS = sorted(_words(json_schema()))
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        [*_WORDS, "tunnel.1", "eth0", "10.0.0.0/8", "192.0.2.1", "::1", "5s", "1GB", "0x1000", "any", "0x"]
    ),
    st.text(max_size=8),
)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS) | st.text(max_size=6), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(sorted(json_schema()["properties"])), _TREES, max_size=6))
@settings(deadline=None, max_examples=150)
def test_any_values_under_known_sections_give_problems_and_nothing_else(tree: object) -> None:
    read(json.dumps(tree))


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_a_sound_configuration_with_one_line_changed_gives_problems_and_nothing_else(data: st.DataObject) -> None:
    lines = SOUND.splitlines()
    line = data.draw(st.integers(0, len(lines) - 1))
    key, _, _ = lines[line].partition(":")
    lines[line] = f"{key}: {json.dumps(data.draw(_TREES))}"
    read("\n".join(lines))
