from __future__ import annotations

from ipaddress import ip_address

from isthmus.network import host as facts
from tests.network.namespace import Namespace, needs_root


@needs_root
def test_the_addresses_of_an_interface_come_widest_scope_first(host: Namespace) -> None:
    host.cable("eth7")
    host.shell("ip addr add 192.0.2.1/24 dev eth7; ip addr add 2001:db8::1/64 dev eth7 nodad")
    found = host.run(lambda: facts.addresses("eth7"))
    assert found[:2] == (ip_address("192.0.2.1"), ip_address("2001:db8::1"))
    assert all(address.is_link_local for address in found[2:])


@needs_root
def test_the_own_end_of_a_point_to_point_address_counts(host: Namespace) -> None:
    host.cable("eth7")
    host.shell("ip -6 addr flush dev eth7; ip addr add 192.0.2.1 peer 192.0.2.9 dev eth7")
    assert host.run(lambda: facts.addresses("eth7")) == (ip_address("192.0.2.1"),)


@needs_root
def test_an_interface_that_is_not_there_has_no_addresses(host: Namespace) -> None:
    assert host.run(lambda: facts.addresses("eth7")) == ()


@needs_root
def test_the_mtus_are_those_of_the_links(host: Namespace) -> None:
    host.cable("eth7")
    host.shell("ip link set eth7 mtu 1400")
    assert host.run(facts.link_mtus)["eth7"] == 1400
