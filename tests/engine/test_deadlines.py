from hypothesis import given
from hypothesis import strategies as st

from isthmus.engine.deadlines import Agenda, Deadline
from isthmus.model.quantities import Instant


class Somebody:
    def due(self, what: Deadline) -> None: ...


def taken(agenda: Agenda, now: float) -> list[Deadline]:
    return [what for _, what in agenda.take_due(Instant(now))]


def test_deadlines_come_in_order_of_time_and_equal_ones_in_the_order_in_which_they_were_set() -> None:
    agenda, one, other = Agenda(), Somebody(), Somebody()
    agenda.set(one, Deadline.EXPIRE, Instant(3.0))
    agenda.set(one, Deadline.REKEY, Instant(1.0))
    agenda.set(other, Deadline.PROBE_PEER, Instant(1.0))
    assert agenda.next() == 1.0
    assert taken(agenda, 3.0) == [Deadline.REKEY, Deadline.PROBE_PEER, Deadline.EXPIRE]


def test_what_lies_ahead_is_left() -> None:
    agenda, one = Agenda(), Somebody()
    agenda.set(one, Deadline.EXPIRE, Instant(3.0))
    assert taken(agenda, 2.9) == []
    assert len(agenda) == 1


def test_setting_it_again_moves_it() -> None:
    agenda, one = Agenda(), Somebody()
    agenda.set(one, Deadline.REKEY, Instant(1.0))
    agenda.set(one, Deadline.REKEY, Instant(5.0))
    assert agenda.at(one, Deadline.REKEY) == 5.0
    assert taken(agenda, 4.0) == []
    assert taken(agenda, 5.0) == [Deadline.REKEY]


def test_what_was_cancelled_or_forgotten_never_comes() -> None:
    agenda, one, other = Agenda(), Somebody(), Somebody()
    agenda.set(one, Deadline.REKEY, Instant(1.0))
    agenda.set(one, Deadline.EXPIRE, Instant(1.0))
    agenda.set(other, Deadline.EXPIRE, Instant(1.0))
    agenda.cancel(other, Deadline.EXPIRE)
    agenda.forget(one)
    assert agenda.next() is None
    assert taken(agenda, 9.0) == []
    assert len(agenda) == 0


def test_one_that_is_handled_may_cancel_those_that_are_due_with_it() -> None:
    agenda, one = Agenda(), Somebody()
    agenda.set(one, Deadline.EXPIRE, Instant(1.0))
    agenda.set(one, Deadline.REKEY, Instant(1.0))
    for _, _ in agenda.take_due(Instant(1.0)):
        agenda.forget(one)
        break
    assert taken(agenda, 1.0) == []


def test_one_that_is_handled_may_set_itself_again_and_comes_once_more_only_if_it_is_due() -> None:
    agenda, one = Agenda(), Somebody()
    agenda.set(one, Deadline.PROBE_PEER, Instant(1.0))
    count = 0
    for _ in agenda.take_due(Instant(2.5)):
        count += 1
        agenda.set(one, Deadline.PROBE_PEER, Instant(1.0 + count))
    assert count == 2
    assert agenda.next() == 3.0


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(list(Deadline)[:4]), st.integers(0, 20)), max_size=60))
def test_it_holds_what_a_plain_table_would(orders: list[tuple[int, Deadline, int]]) -> None:
    agenda, owners = Agenda(), [Somebody() for _ in range(4)]
    table: dict[tuple[int, Deadline], float] = {}
    for owner, what, at in orders:
        if at == 0:
            agenda.cancel(owners[owner], what)
            table.pop((owner, what), None)
        else:
            agenda.set(owners[owner], what, Instant(float(at)))
            table[owner, what] = float(at)
    assert agenda.next() == min(table.values(), default=None)
    found = [(owners.index(owner), what) for owner, what in agenda.take_due(Instant(10.0))]  # type: ignore[arg-type]
    assert sorted(found, key=str) == sorted((key for key, at in table.items() if at <= 10.0), key=str)
