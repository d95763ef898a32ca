from __future__ import annotations

from ipaddress import ip_address

from isthmus.lab.namespaces import Playground
from isthmus.lab.stand import build
from isthmus.lab.topology import stage
from isthmus.lab.traffic import ping
from tests.lab.plans import site


def test_gateways_reach_each_other_and_hosts_their_gateway_and_nobody_else(playground: Playground) -> None:
    hq = site("192.0.2.1", "198.51.100.2", selectors=[("10.1.0.0/24", "10.2.0.0/24")])
    branch = site("198.51.100.2", "192.0.2.1", selectors=[("10.2.0.0/24", "10.1.0.0/24")])
    stand = build(stage({"hq": hq, "branch": branch}), playground)
    host, other = ip_address("10.1.0.2"), ip_address("10.2.0.2")
    assert len(ping(stand.gateways["hq"], ip_address("192.0.2.1"), ip_address("198.51.100.2"), 1)) == 1
    assert len(ping(stand.hosts[host], host, ip_address("10.1.0.1"), 1)) == 1
    assert ping(stand.hosts[host], host, other, 1, wait=0.2) == ()


def test_sites_on_one_network_are_still_joined_by_the_router(playground: Playground) -> None:
    one, two = site("192.0.2.1", "192.0.2.2"), site("192.0.2.2", "192.0.2.1")
    stand = build(stage({"one": one, "two": two}), playground)
    assert len(ping(stand.gateways["one"], ip_address("192.0.2.1"), ip_address("192.0.2.2"), 1)) == 1


def test_an_interface_without_a_network_stands_all_the_same(playground: Playground) -> None:
    hq = site("192.0.2.1", "198.51.100.2", lans=("eth1", "eth2"), selectors=[("10.1.0.0/24", "10.2.0.0/24")])
    stand = build(stage({"hq": hq}), playground)
    assert {"link eth0", "link eth1", "link eth2"} < stand.gateways["hq"].fingerprint()
