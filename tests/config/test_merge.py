"""Several files as one configuration."""

from __future__ import annotations

from typing import Any

from isthmus.config.merge import merge
from isthmus.config.parse import parse
from isthmus.config.problems import Problems
from isthmus.config.tree import Places, plain


def _merged(*texts: str) -> tuple[Any, list[str], Places]:
    problems = Problems()
    roots = [parse(text, f"{number}.yaml", problems) for number, text in enumerate(texts, 1)]
    root = merge([root for root in roots if root is not None], "conf.d", problems)
    return plain(root), [str(problem) for problem in problems.sorted()], Places(root)


def test_names_of_a_section_may_be_spread() -> None:
    tree, problems, places = _merged("zones: {a: {}}\n", "interfaces: {}\nzones: {b: {}}\n", "zones: {c: {}}\n")
    assert tree == {"zones": {"a": {}, "b": {}, "c": {}}, "interfaces": {}}
    assert problems == []
    assert str(places.of("zones", "c")) == "3.yaml:1:9"


def test_a_name_belongs_to_one_file() -> None:
    tree, problems, _ = _merged("zones: {a: {x: 1}}\n", "zones: {a: {y: 1}}\n")
    assert tree == {"zones": {"a": {"x": "1"}}}
    assert problems == ['2.yaml:1:9: DUPLICATE: "a" is already defined at 1.yaml:1:9']


def test_each_setting_belongs_to_one_file() -> None:
    _, problems, _ = _merged("settings: {a: 1}\n", "settings: {b: 1}\n", "settings: {a: 1}\n")
    assert problems == ['3.yaml:1:12: DUPLICATE: "a" is already defined at 1.yaml:1:12']


def test_each_file_may_bring_its_routes_to_a_router() -> None:
    tree, problems, _ = _merged(
        "virtual-routers: {default: {static-routes: {a: {metric: 1}}}}\n",
        "virtual-routers: {default: {static-routes: {b: {metric: 2}, a: {metric: 3}}}}\n",
    )
    assert tree == {"virtual-routers": {"default": {"static-routes": {"a": {"metric": "1"}, "b": {"metric": "2"}}}}}
    assert problems == ['2.yaml:1:61: DUPLICATE: "a" is already defined at 1.yaml:1:45']


def test_lists_follow_each_other() -> None:
    tree, problems, _ = _merged("security-policies: [a]\n", "security-policies: [b, c]\n")
    assert tree == {"security-policies": ["a", "b", "c"]}
    assert problems == []


def test_what_cannot_join_is_told() -> None:
    tree, problems, _ = _merged("zones: {a: {}}\n", "zones: [b]\n")
    assert tree == {"zones": {"a": {}}}
    assert problems == ['2.yaml:1:1: DUPLICATE: "zones" is already defined at 1.yaml:1:1']
