"""Open registries keep numbers that they do not know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.model.proposal import Protocol, TransformType


@given(st.integers(0, 2**16 - 1))
def test_every_number_survives(number: int) -> None:
    member = Protocol(number)
    assert int(member) == number
    assert member == Protocol(number)
    assert hash(member) == hash(Protocol(number))
    assert member.known is (number in (0, 1, 2, 3))


def test_an_unlisted_number_has_a_name() -> None:
    assert Protocol(77).name == "UNASSIGNED_77"
    assert Protocol.ESP.name == "ESP"


def test_a_peer_cannot_grow_the_registry() -> None:
    before = len(TransformType), len(TransformType._value2member_map_)
    for number in range(5000):
        TransformType(number)
    assert (len(TransformType), len(TransformType._value2member_map_)) == before
    assert not TransformType(4999).known


@pytest.mark.parametrize("value", [-1, "ESP", 1.5, None])
def test_what_is_no_number_of_the_wire_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid Protocol"):
        Protocol(value)  # type: ignore[arg-type]
