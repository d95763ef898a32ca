from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from isthmus.model import algorithms
from isthmus.model.plan import FixedPeer, Mode, Plan
from isthmus.network.desired import BACKSTOP_METRIC, InterfaceAddressed, Route, desired_state
from isthmus.network.mtu import Envelope
from tests.engine.test_manual import AH
from tests.network.plans import interface, plan, route

SIXTEEN = ip_network("10.2.0.0/16")


def test_an_empty_plan_wants_nothing() -> None:
    state = desired_state(Plan(), {"eth0": 1500})
    assert (state.links, state.addresses, state.routes) == ({}, frozenset(), frozenset())


def test_interfaces_of_the_host_are_named_and_not_made() -> None:
    assert set(desired_state(plan(), {"eth0": 1500}).links) == {"tunnel.1"}


def test_tunnel_interfaces_get_their_addresses() -> None:
    wanted = plan(interfaces=(interface("tunnel.1", "10.255.0.1/30", "fd00::1/64"),))
    assert desired_state(wanted, {}).addresses == {
        InterfaceAddressed("tunnel.1", ip_interface("10.255.0.1/30")),
        InterfaceAddressed("tunnel.1", ip_interface("fd00::1/64")),
    }


def test_a_route_into_a_tunnel_has_a_backstop() -> None:
    assert desired_state(plan(route("10.2.0.0/16")), {}).routes == {
        Route(SIXTEEN, "tunnel.1", 10),
        Route(SIXTEEN, None, BACKSTOP_METRIC),
    }


def test_a_route_out_of_an_interface_of_the_host_has_none() -> None:
    assert desired_state(plan(route("10.2.0.0/16", by="eth0")), {}).routes == {Route(SIXTEEN, "eth0", 10)}


def test_two_ways_to_one_destination_share_their_backstop() -> None:
    both = (interface("tunnel.1"), interface("tunnel.2"))
    wanted = plan(route("10.2.0.0/16"), route("10.2.0.0/16", "tunnel.2", 20), interfaces=both)
    routes = desired_state(wanted, {}).routes
    assert sum(r.interface is None for r in routes) == 1
    assert len(routes) == 3


def test_a_route_of_another_virtual_router_is_never_put_into_the_main_table() -> None:
    with pytest.raises(ValueError, match="blue"):
        desired_state(plan(route("10.2.0.0/16", router="blue")), {})


def test_the_mtu_follows_the_outer_interface() -> None:
    assert desired_state(plan(), {"eth0": 1500}).links["tunnel.1"].mtu == 1438
    assert desired_state(plan(), {"eth0": 9000}).links["tunnel.1"].mtu == 8938


def test_a_configured_mtu_stands() -> None:
    link = desired_state(plan(interfaces=(interface("tunnel.1", mtu=1300),)), {"eth0": 1500}).links["tunnel.1"]
    assert (link.mtu, link.because) == (1300, "configured")


def test_what_the_sas_agreed_on_replaces_the_worst_case() -> None:
    plain = Envelope(4, False, algorithms.ENCRYPTION_BY_NAME["aes-256-gcm"], None)
    link = desired_state(plan(), {"eth0": 1500}, {"tunnel.1": (plain,)}).links["tunnel.1"]
    assert link.mtu == 1446


def test_only_routes_into_tunnels_ask_for_forwarding() -> None:
    wanted = plan(route("10.2.0.0/16"), route("2001:db8::/32", by="eth0"))
    assert desired_state(wanted, {}).versions == {4}


def test_behind_a_route_to_a_peer_of_transport_mode_there_is_no_backstop() -> None:
    before = plan(route("198.51.100.2/32"), route("10.2.0.0/16"))
    (name, tunnel), *_ = before.tunnels.items()
    peers = {n: replace(p, address=FixedPeer(ip_address("198.51.100.2"))) for n, p in before.peers.items()}
    wanted = replace(before, tunnels={name: replace(tunnel, mode=Mode.TRANSPORT)}, peers=peers)
    backstops = {r.destination for r in desired_state(wanted, {}).routes if r.interface is None}
    assert backstops == {SIXTEEN}
    assert len(desired_state(replace(before, peers=peers), {}).routes) == 4


def test_a_tunnel_with_keys_by_hand_has_its_mtu_from_them() -> None:
    wanted = Plan(interfaces={"tunnel.9": interface("tunnel.9")}, manual={"legacy": AH})
    assert desired_state(wanted, {"eth0": 1400}).links["tunnel.9"].mtu == 1400 - 20 - 24
