"""The table of codes, the order of problems, and suggestions."""

from __future__ import annotations

import re

import pytest

from isthmus.config.place import Place
from isthmus.config.problems import CODES, MISSING, SYNTAX, TOO_LARGE, WEAK_SECRET, Problem, Problems, nearest


def test_codes_are_words_that_can_be_searched_for() -> None:
    assert len({code.name for code in CODES}) == len(CODES)
    assert all(re.fullmatch(r"[A-Z]+(-[A-Z]+)*", code.name) for code in CODES)
    assert all(code.title and not code.title.endswith(".") for code in CODES)


def test_a_problem_reads_as_a_compiler_would_say_it() -> None:
    place = Place("hq.yaml", 3, 7)
    assert str(Problem(place, MISSING, "hash is missing")) == "hq.yaml:3:7: MISSING: hash is missing"
    assert str(Problem(place, MISSING, "no such", "hash")) == "hq.yaml:3:7: MISSING: no such; did you mean hash?"
    assert str(Problem(place, WEAK_SECRET, "short")) == "hq.yaml:3:7: WEAK-SECRET: warning: short"


def test_problems_come_in_the_order_of_their_places_and_each_once() -> None:
    problems = Problems()
    for line, column in ((10, 1), (9, 5), (9, 11), (9, 5)):
        problems.add(SYNTAX, Place("f", line, column), "odd")
    assert [(p.place.line, p.place.column) for p in problems.sorted()] == [(9, 5), (9, 11), (10, 1)]


def test_so_many_problems_and_no_more() -> None:
    problems = Problems()
    for line in range(5000):
        problems.add(SYNTAX, Place("f", line + 1), "odd")
    told = problems.sorted()
    assert len(told) == Problems.LIMIT + 1
    assert told[-1].code is TOO_LARGE


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("peer-adress", "peer-address"),
        ("peer_address", "peer-address"),
        ("Peer-Address", "peer-address"),
        ("peer address", "peer-address"),
        ("hash", "hash"),
        ("nonsense", None),
        ("", None),
        ("peer-address" * 10, None),
    ],
)
def test_the_word_that_was_meant(word: str, meant: str | None) -> None:
    assert nearest(word, ["peer-address", "local-address", "hash"]) == meant
