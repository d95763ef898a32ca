"""Traffic selectors as sets of packets."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.model.selectors import ANY_IPV4, ANY_IPV6, MAX_PORT, TrafficSelector

OPAQUE = (MAX_PORT, 0)


@st.composite
def selectors(draw: st.DrawFn) -> TrafficSelector:
    """Ranges that often meet: few addresses, protocols and ports."""
    family = IPv4Address if draw(st.booleans()) else IPv6Address
    start, end = sorted((draw(st.integers(0, 20)), draw(st.integers(0, 20))))
    protocol = draw(st.sampled_from((0, 6, 17)))
    low, high = sorted((draw(st.integers(0, 10)), draw(st.integers(0, 10))))
    ports = draw(st.sampled_from(((0, MAX_PORT), (low, high), OPAQUE)))
    return TrafficSelector(family(start), family(end), protocol, *ports)


packets = st.tuples(
    st.builds(IPv4Address, st.integers(0, 20)) | st.builds(IPv6Address, st.integers(0, 20)),
    st.sampled_from((6, 17, 1)),
    st.integers(0, 11),
)


@given(selectors(), selectors())
def test_the_order_of_an_intersection_does_not_matter(one: TrafficSelector, other: TrafficSelector) -> None:
    assert one.intersection(other) == other.intersection(one)


@given(selectors(), selectors(), selectors())
def test_the_grouping_of_an_intersection_does_not_matter(
    a: TrafficSelector, b: TrafficSelector, c: TrafficSelector
) -> None:
    ab, bc = a.intersection(b), b.intersection(c)
    assert (ab and ab.intersection(c)) == (bc and a.intersection(bc))


@given(selectors())
def test_a_selector_meets_and_contains_itself(one: TrafficSelector) -> None:
    assert one.intersection(one) == one
    assert one.contains(one)


@given(selectors(), selectors())
def test_both_contain_what_they_have_in_common(one: TrafficSelector, other: TrafficSelector) -> None:
    common = one.intersection(other)
    if common is not None:
        assert one.contains(common)
        assert other.contains(common)


@given(selectors(), selectors(), packets)
def test_what_is_in_common_admits_exactly_what_both_admit(
    one: TrafficSelector, other: TrafficSelector, packet: tuple[IPv4Address | IPv6Address, int, int]
) -> None:
    common = one.intersection(other)
    assert (common is not None and common.admits(*packet)) == (one.admits(*packet) and other.admits(*packet))


@given(selectors(), selectors(), packets)
def test_a_container_admits_what_its_content_admits(
    one: TrafficSelector, other: TrafficSelector, packet: tuple[IPv4Address | IPv6Address, int, int]
) -> None:
    if one.contains(other) and other.admits(*packet):
        assert one.admits(*packet)


@given(selectors())
def test_the_whole_family_contains_every_selector_of_it(one: TrafficSelector) -> None:
    own, foreign = (ANY_IPV4, ANY_IPV6) if one.version == 4 else (ANY_IPV6, ANY_IPV4)
    assert own.contains(one)
    assert foreign.intersection(one) is None


@given(st.integers(0, 32), st.integers(0, 2**32 - 1))
def test_a_network_reads_as_it_was_written(prefix: int, address: int) -> None:
    network = ipaddress.IPv4Network((address, prefix), strict=False)
    selector = TrafficSelector.of_network(network)
    assert str(selector) == str(network)
    assert selector.contains(TrafficSelector.of_host(network.broadcast_address))


def test_opaque_ports_meet_only_opaque_ports_and_any() -> None:
    # RFC 7296, 3.13.1: OPAQUE is no port that could be compared.
    host = IPv4Address("10.0.0.1")
    opaque = TrafficSelector(host, host, 6, *OPAQUE)
    assert opaque.opaque_ports
    assert opaque.intersection(TrafficSelector(host, host, 6, 443, 443)) is None
    assert opaque.intersection(TrafficSelector(host, host)) == opaque
    assert not opaque.admits(host, 6, 443)


def test_the_protocol_that_is_named_wins_over_any() -> None:
    tcp = replace(ANY_IPV4, protocol=6)
    assert ANY_IPV4.intersection(tcp) == tcp
    assert not tcp.contains(ANY_IPV4)
    assert tcp.intersection(replace(ANY_IPV4, protocol=17)) is None


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (ANY_IPV4, "0.0.0.0/0"),
        (ANY_IPV6, "::/0"),
        (TrafficSelector.of_host(IPv4Address("10.9.0.5")), "10.9.0.5/32"),
        (TrafficSelector(IPv4Address("10.9.0.5"), IPv4Address("10.9.0.9"), 6, 443, 443), "10.9.0.5-10.9.0.9[tcp/443]"),
        (TrafficSelector(IPv4Address("10.9.0.4"), IPv4Address("10.9.0.11")), "10.9.0.4-10.9.0.11"),
        (replace(ANY_IPV4, protocol=17), "0.0.0.0/0[udp]"),
        (TrafficSelector(ANY_IPV4.start, ANY_IPV4.end, 0, 53, 54), "0.0.0.0/0[any/53-54]"),
        (TrafficSelector(ANY_IPV6.start, ANY_IPV6.end, 132, *OPAQUE), "::/0[132/opaque]"),
        (TrafficSelector(IPv4Address("10.0.0.9"), IPv4Address("10.0.0.5")), "10.0.0.9-10.0.0.5"),
    ],
)
def test_selectors_read_as_the_configuration_writes_them(selector: TrafficSelector, text: str) -> None:
    assert str(selector) == text
