"""Phase 2 identities: whose traffic is protected."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.engine.ikev1.client_ids import identification, selector
from isthmus.engine.refusal import Refusal
from isthmus.events.ike import EngineFault, FailureReason, NegotiationFailed
from isthmus.model.identity import IdType
from isthmus.model.selectors import TrafficSelector
from isthmus.sim.plans import plan_of
from isthmus.sim.scenarios.ikev1 import EAST_V1, WEST_V1
from isthmus.wire.ikev1.payloads import Identification
from tests.engine.table import converse, seat

_ADDRESSES = {4: st.integers(0, 2**32 - 1), 6: st.integers(0, 2**128 - 1)}


@st.composite
def selectors(draw: st.DrawFn) -> TrafficSelector:
    version = draw(st.sampled_from((4, 6)))
    family = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    first, last = sorted((draw(_ADDRESSES[version]), draw(_ADDRESSES[version])))
    port = draw(st.one_of(st.just((0, 65535)), st.integers(1, 65535).map(lambda port: (port, port))))
    return TrafficSelector(family(first), family(last), draw(st.integers(0, 255)), *port)


@given(selectors())
def test_what_is_claimed_is_what_was_meant(meant: TrafficSelector) -> None:
    assert selector(identification(meant)) == meant


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_network_is_claimed_as_a_network(address: ipaddress.IPv4Address, prefix: int) -> None:
    network = ipaddress.ip_network((int(address), prefix), strict=False)
    claim = identification(TrafficSelector.of_network(network))
    assert claim.kind == (IdType.IPV4_ADDR if prefix == 32 else IdType.IPV4_ADDR_SUBNET)
    assert claim.value[:4] == network.network_address.packed


@pytest.mark.parametrize(
    "claim",
    [
        Identification(IdType.IPV4_ADDR_SUBNET, 0, 0, bytes.fromhex("0a010000ff00ff00")),
        Identification(IdType.IPV4_ADDR_SUBNET, 0, 0, bytes.fromhex("0a010001ffff0000")),
        Identification(IdType.IPV4_ADDR_RANGE, 0, 0, bytes.fromhex("0a0100090a010001")),
        Identification(IdType.IPV4_ADDR, 0, 0, bytes(3)),
        Identification(IdType.IPV6_ADDR, 0, 0, bytes(4)),
        Identification(IdType.FQDN, 0, 0, b"east.example"),
    ],
    ids=["holes", "beside", "backwards", "short", "other-family", "no-address"],
)
def test_what_is_no_traffic_is_refused(claim: Identification) -> None:
    with pytest.raises(Refusal):
        selector(claim)


def test_what_version_1_cannot_say_is_a_failure_of_that_child_and_no_fault() -> None:
    here = plan_of(EAST_V1, WEST_V1)
    (tunnel,) = here.tunnels.values()
    (child,) = tunnel.children
    ranged = replace(child, remote=(replace(child.remote[0], protocol=6, start_port=80, end_port=90),))
    east = seat(replace(here, tunnels={tunnel.name: replace(tunnel, children=(ranged,))}), 1)
    west = seat(plan_of(WEST_V1, EAST_V1), 2)
    converse(east, west)
    failure, *again = east.told(NegotiationFailed)
    assert len(again) <= 1  # it is not asked for in a loop
    assert (failure.reason, failure.child) == (FailureReason.SELECTORS_UNACCEPTABLE, ranged.name)
    assert "no ranges of ports" in failure.detail
    assert not east.told(EngineFault)
    assert [sa.state for sa in east.gateway.ike_sas()] == ["established"]
