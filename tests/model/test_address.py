"""Endpoints as text."""

from __future__ import annotations

from ipaddress import ip_address

from isthmus.model.address import NAT_T_PORT, Endpoint


def test_an_ipv6_endpoint_is_bracketed() -> None:
    assert str(Endpoint(ip_address("192.0.2.1"), 500)) == "192.0.2.1:500"
    assert str(Endpoint(ip_address("2001:db8::1"), 4500)) == "[2001:db8::1]:4500"


def test_moving_to_another_port_keeps_the_address() -> None:
    assert Endpoint(ip_address("192.0.2.1"), 500).with_port(NAT_T_PORT) == Endpoint(ip_address("192.0.2.1"), 4500)
