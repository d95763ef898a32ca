"""Words, names and references."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from isthmus.config.values.kind import Context, Kind
from isthmus.config.values.words import InterfaceName, Name, OneOf, Reference


def _refused(kind: Kind, text: str, context: Context | None = None) -> tuple[str, str | None]:
    with pytest.raises(PydanticCustomError) as caught:
        kind.read_any(text, context or Context())
    found = caught.value.context or {}
    return found["code"], found["suggestion"]


@pytest.mark.parametrize("name", ["a", "0", "branch-7", "Suite-B-GCM-128", "x.y_z", "a" * 63])
def test_names(name: str) -> None:
    assert Name().read_any(name, Context()) == name


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("branch:lan", "branch-lan"), ("-x", "x"), ("a/b", "a-b"), ("", None), ("ä", None), ("a\n", "a")],
)
def test_what_is_no_name(name: str, suggestion: str | None) -> None:
    assert _refused(Name(), name) == ("MALFORMED", suggestion)


def test_a_name_has_its_length() -> None:
    assert _refused(Name(), "a" * 64) == ("NAME-TOO-LONG", None)


@pytest.mark.parametrize("name", ["eth0", "eth0.100", "tunnel.1", "tunnel.9999", "tunnel", "br-lan", "wan@1"])
def test_names_of_interfaces(name: str) -> None:
    assert InterfaceName().read_any(name, Context()) == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("tunnel.0", "OUT-OF-RANGE"),
        ("tunnel.10000", "OUT-OF-RANGE"),
        ("tunnel.01", "MALFORMED"),
        ("tunnel.", "MALFORMED"),
        ("tunnel.x", "MALFORMED"),
        ("ethernet1/1", "MALFORMED"),
        ("sixteen-letters-", "MALFORMED"),
        ("..", "MALFORMED"),
    ],
)
def test_what_is_no_name_of_an_interface(name: str, code: str) -> None:
    assert _refused(InterfaceName(), name)[0] == code


def test_a_reference_names_what_is_defined() -> None:
    context = Context({"zones": frozenset({"trust", "untrust"})})
    assert Reference("zones").read_any("trust", context) == "trust"
    assert Reference("zones", also=("any",)).read_any("any", context) == "any"
    assert _refused(Reference("zones"), "trsut", context) == ("UNKNOWN-NAME", "trust")
    assert _refused(Reference("ike-gateways"), "trust", context) == ("UNKNOWN-NAME", None)


def test_where_definitions_may_be_missing_any_reference_is_taken() -> None:
    assert Reference("zones").read_any("trsut", Context(None)) == "trsut"


def test_a_message_repeats_no_control_character_and_nothing_endless() -> None:
    kind = OneOf(["yes"], "yes")
    for text in ("\x1b[31mred", "a" * 100_000, "line\nfeed"):
        with pytest.raises(PydanticCustomError) as caught:
            kind.read_any(text, Context())
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 100
