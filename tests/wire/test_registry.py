from __future__ import annotations

import pickle

from isthmus.wire.registry import ExchangeType, NotifyType, PayloadType


def test_a_number_without_a_name_is_still_a_number() -> None:
    unknown = NotifyType(30000)
    assert (unknown, unknown.name, unknown.known) == (30000, "UNASSIGNED_30000", False)


def test_unknown_numbers_are_not_remembered() -> None:
    before = len(NotifyType)
    for number in range(50000, 50500):
        NotifyType(number)
    assert len(NotifyType) == before
    assert not NotifyType(50000).known


def test_notify_types_below_16384_are_errors() -> None:
    assert NotifyType.NO_PROPOSAL_CHOSEN.error
    assert NotifyType(16383).error
    assert not NotifyType.INITIAL_CONTACT.error
    assert not NotifyType(40960).error


def test_the_numbers_of_version_1_are_left_alone() -> None:
    assert not any(PayloadType(number).known for number in range(1, 33))
    assert not any(ExchangeType(number).known for number in range(34))


def test_a_member_survives_being_pickled() -> None:
    assert pickle.loads(pickle.dumps(NotifyType.COOKIE)) is NotifyType.COOKIE
