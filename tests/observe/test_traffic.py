from __future__ import annotations

from isthmus.model.sa_spec import Direction, SaCounters, SaId
from isthmus.observe.traffic import TrafficTotals
from tests.api.fakes import child_view


def test_a_total_goes_on_rising_through_a_rekey() -> None:
    counters: dict[SaId, SaCounters] = {}
    totals = TrafficTotals(lambda sa: counters.get(sa, SaCounters()))
    old, new = child_view(spi=0x1111), child_view(spi=0x2222)
    counters[old.inbound] = SaCounters(packets=10, octets=1000)
    totals.look([old])
    counters[old.inbound] = SaCounters(packets=12, octets=1200)
    counters[new.inbound] = SaCounters(packets=3, octets=300)
    totals.look([old, new])
    del counters[old.inbound]
    totals.look([new])
    total = totals.of("branch:lan", Direction.INBOUND)
    assert (total.packets, total.octets) == (15, 1500)


def test_a_former_child_counts_until_its_inbound_sa_is_gone() -> None:
    counters: dict[SaId, SaCounters] = {}
    totals = TrafficTotals(lambda sa: counters.get(sa, SaCounters()))
    old = child_view(spi=0x1111)
    counters[old.inbound] = SaCounters(packets=10, octets=1000)
    totals.look([old])
    counters[old.inbound] = SaCounters(packets=11, octets=1100)
    totals.look([])
    counters[old.inbound] = SaCounters(packets=13, octets=1300)
    totals.look([])
    del counters[old.inbound]
    totals.look([])
    totals.look([])
    assert totals.of("branch:lan", Direction.INBOUND).octets == 1300


def test_looking_twice_counts_once() -> None:
    totals = TrafficTotals(lambda _sa: SaCounters(packets=1, octets=50))
    child = child_view()
    totals.look([child])
    totals.look([child])
    assert totals.of("branch:lan", Direction.OUTBOUND).octets == 50


def test_an_spi_that_is_used_again_starts_from_nothing() -> None:
    counters = {"now": SaCounters(packets=10, octets=1000)}
    totals = TrafficTotals(lambda _sa: counters["now"])
    child = child_view()
    totals.look([child])
    counters["now"] = SaCounters(packets=2, octets=1900)
    totals.look([child])
    total = totals.of("branch:lan", Direction.INBOUND)
    assert (total.packets, total.octets) == (12, 2900)


def test_children_have_totals_of_their_own() -> None:
    totals = TrafficTotals(lambda _sa: SaCounters(packets=1, octets=50))
    totals.look([child_view("branch:lan", 0x1111)])
    assert totals.of("branch:web", Direction.INBOUND).packets == 0
