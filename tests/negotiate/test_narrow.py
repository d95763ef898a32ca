"""Narrowing of traffic selectors."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given

from isthmus.model.plan import ChildPlan
from isthmus.model.selectors import ANY_IPV4, TrafficSelector
from isthmus.negotiate.narrow import Narrowed, narrow, select_child, within
from isthmus.negotiate.reports import SelectorMismatch
from tests.negotiate.strategies import packets, selector_lists

Selectors = tuple[TrafficSelector, ...]


def _ts(*texts: str, protocol: int = 0) -> Selectors:
    return tuple(TrafficSelector.of_network(ip_network(text), protocol) for text in texts)


def _child(name: str, local: str, remote: str, protocol: int = 0) -> ChildPlan:
    return ChildPlan("branch", name, _ts(local, protocol=protocol), _ts(remote, protocol=protocol))


def _admits(selectors: Sequence[TrafficSelector], packet: tuple[IPv4Address | IPv6Address, int, int]) -> bool:
    return any(selector.admits(*packet) for selector in selectors)


@given(selector_lists, selector_lists, packets)
def test_what_is_left_admits_what_both_admit(
    offered: list[TrafficSelector],
    configured: list[TrafficSelector],
    packet: tuple[IPv4Address | IPv6Address, int, int],
) -> None:
    left = narrow(offered, configured)
    assert _admits(left, packet) == (_admits(offered, packet) and _admits(configured, packet))


@given(selector_lists, selector_lists)
def test_what_is_left_is_within_both(offered: list[TrafficSelector], configured: list[TrafficSelector]) -> None:
    left = narrow(offered, configured)
    if left:
        assert within(left, offered)
        assert within(left, configured)


@given(selector_lists, selector_lists)
def test_no_part_is_said_twice(offered: list[TrafficSelector], configured: list[TrafficSelector]) -> None:
    left = narrow(offered, configured)
    assert not any(one.contains(other) for one in left for other in left if one is not other)


@given(selector_lists, selector_lists)
def test_narrowing_again_changes_nothing(offered: list[TrafficSelector], configured: list[TrafficSelector]) -> None:
    left = narrow(offered, configured)
    assert set(narrow(left, configured)) == set(left)


@given(selector_lists, selector_lists)
def test_both_ends_narrow_to_the_same(offered: list[TrafficSelector], configured: list[TrafficSelector]) -> None:
    assert set(narrow(offered, configured)) == set(narrow(configured, offered))


def test_nothing_is_within_nothing() -> None:
    assert not within((), (ANY_IPV4,))
    assert not within((ANY_IPV4,), ())


def test_more_than_was_offered_is_not_within() -> None:
    assert within(_ts("10.1.7.0/24"), _ts("10.1.0.0/16"))
    assert not within(_ts("10.1.7.0/24", "10.9.0.0/16"), _ts("10.1.0.0/16"))
    assert not within(_ts("10.1.7.0/24"), _ts("10.1.7.0/24", protocol=6))


EXACT = _child("exact", "10.1.0.0/16", "10.2.0.0/16")
WIDER = _child("wider", "10.0.0.0/8", "10.0.0.0/8")
NARROWER = _child("narrower", "10.1.7.0/24", "10.2.7.0/24")
OVERLAPPING = _child("overlapping", "10.1.0.0/17", "10.0.0.0/8", protocol=6)
ELSEWHERE = _child("elsewhere", "10.8.0.0/16", "10.2.0.0/16")


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        ((WIDER, NARROWER, EXACT), "exact"),
        ((NARROWER, WIDER, ELSEWHERE), "wider"),
        ((OVERLAPPING, NARROWER), "narrower"),
        ((ELSEWHERE, OVERLAPPING), "overlapping"),
    ],
)
def test_the_closest_child_answers(children: tuple[ChildPlan, ...], expected: str) -> None:
    found = select_child(_ts("10.1.0.0/16"), _ts("10.2.0.0/16"), children)
    assert isinstance(found, Narrowed)
    assert found.child.proxy_id == expected


def test_between_equals_the_order_of_the_configuration_decides() -> None:
    twins = _child("one", "10.0.0.0/8", "10.0.0.0/8"), _child("two", "0.0.0.0/0", "0.0.0.0/0")
    for children in (twins, twins[::-1]):
        found = select_child(_ts("10.1.0.0/16"), _ts("10.2.0.0/16"), children)
        assert isinstance(found, Narrowed)
        assert found.child is children[0]


def test_the_packet_that_asks_decides_between_children_that_overlap() -> None:
    """RFC 7296, 2.9: the first choices of the initiator must be in the answer, if any policy allows them."""
    one, two = _child("one", "10.2.5.0/24", "10.1.0.0/16"), _child("two", "10.2.6.0/24", "10.1.0.0/16")
    packet = TrafficSelector.of_host(IPv4Address("10.2.6.9"), 17), TrafficSelector.of_host(IPv4Address("10.1.0.1"), 17)
    offered = (packet[0], *_ts("10.2.0.0/16")), (packet[1], *_ts("10.1.0.0/16"))
    found = select_child(*offered, (one, two))
    assert isinstance(found, Narrowed)
    assert found.child is two
    assert found.local == _ts("10.2.6.0/24")
    for left, right in ((one, two), (two, one)):
        nobody = select_child(_ts("10.2.0.0/16"), _ts("10.1.0.0/16"), (left, right))
        assert isinstance(nobody, Narrowed)
        assert nobody.child is left, "without a packet the order of the configuration decides"


def test_the_answer_is_the_part_that_the_child_admits() -> None:
    found = select_child(_ts("10.1.0.0/16"), _ts("0.0.0.0/0"), (NARROWER,))
    assert found == Narrowed(NARROWER, NARROWER.local, NARROWER.remote)


def test_half_of_the_traffic_in_common_is_none() -> None:
    found = select_child(_ts("10.1.0.0/16"), _ts("10.2.0.0/16"), (ELSEWHERE,))
    assert isinstance(found, SelectorMismatch)
    assert found.accepted == (("branch:elsewhere", ELSEWHERE.local, ELSEWHERE.remote),)
    assert (found.offered_local, found.offered_remote) == (_ts("10.1.0.0/16"), _ts("10.2.0.0/16"))


def test_without_children_nothing_is_acceptable() -> None:
    assert select_child((ANY_IPV4,), (ANY_IPV4,), ()) == SelectorMismatch((ANY_IPV4,), (ANY_IPV4,), ())
