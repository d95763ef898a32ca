"""Parties and what their configurations compile to."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from isthmus.model.plan import DynamicPeer, FixedPeer, NamedPeer
from isthmus.sim.plans import EAST, WEST, ProxyId, esp_proposal, ike_proposal, merged, packet_for, plan_of


def test_two_default_parties_agree() -> None:
    east, west = plan_of(EAST, WEST), plan_of(WEST, EAST)
    here, there = east.peers["west"], west.peers["east"]
    assert (here.local_id, here.peer_id) == (there.peer_id, there.local_id)
    assert here.authentication == there.authentication
    assert here.profile.proposals == there.profile.proposals
    (one,), (other,) = east.tunnels["west"].children, west.tunnels["east"].children
    assert (one.local, one.remote) == (other.remote, other.local)
    assert one.name == "west:lan"


def test_proposals_are_spelt_as_in_the_configuration() -> None:
    assert str(ike_proposal("aes-256-gcm/sha384/group20")) == "aes-256-gcm/prf-sha384/group20"
    assert str(ike_proposal("aes-256-cbc/sha256/sha1/group14/group2")) == "aes-256-cbc/sha256/prf-sha1/group14,group2"
    assert str(esp_proposal("aes-128-gcm")) == "aes-128-gcm/no-esn"
    assert str(esp_proposal("3des/sha1/group2")) == "3des/sha1/group2/no-esn"


def test_a_peer_is_where_one_believes_it_to_be() -> None:
    kinds = {
        "203.0.113.1": FixedPeer(ip_address("203.0.113.1")),
        "gw.example": NamedPeer("gw.example"),
        "dynamic": DynamicPeer(),
    }
    for text, kind in kinds.items():
        assert plan_of(replace(EAST, knows=text), WEST).peers["west"].address == kind


def test_a_packet_of_a_proxy_id_is_one_that_it_protects() -> None:
    packet = packet_for(ProxyId("web", "10.1.0.0/16", "10.9.0.0/24", protocol=6))
    assert (str(packet.source), str(packet.destination), packet.protocol) == ("10.1.0.1", "10.9.0.1", 6)


def test_a_hub_keeps_its_tunnels_apart() -> None:
    south = replace(EAST, name="south", address="192.0.2.9")
    hub = merged(plan_of(WEST, EAST), plan_of(WEST, south))
    assert {tunnel.interface for tunnel in hub.tunnels.values()} == {"tunnel.1", "tunnel.2"}
    assert set(hub.peers) == {"east", "south"}
