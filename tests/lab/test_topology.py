from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_interface

import pytest

from isthmus.lab.topology import CannotStage, Leg, Subnet, stage
from tests.lab.plans import site


def _subnets(name: str, **plans: object) -> list[Subnet]:
    return [subnet for lan in stage(plans).site(name).lans for subnet in lan.subnets]  # type: ignore[arg-type]


def test_a_lan_is_what_the_proxy_ids_protect() -> None:
    hq = site("192.0.2.1", "198.51.100.2", selectors=[("10.1.0.0/16", "10.2.0.0/16")])
    branch = site("198.51.100.2", "192.0.2.1", selectors=[("10.2.0.0/16", "10.1.0.0/16")])
    topology = stage({"hq": hq, "branch": branch})
    assert topology.site("hq").legs == (Leg("eth0", (IPv4Address("192.0.2.1"),)),)
    assert _subnets("hq", hq=hq, branch=branch) == [Subnet(ip_interface("10.1.0.1/16"), ip_interface("10.1.0.2/16"))]
    assert [(f.site, f.child, str(f.source), str(f.destination), f.echo) for f in topology.flows()] == [
        ("hq", "there:net0", "10.1.0.2", "10.2.0.2", True),
        ("branch", "there:net0", "10.2.0.2", "10.1.0.2", True),
    ]


def test_without_proxy_ids_the_others_routes_say_what_is_behind_a_site() -> None:
    hq = site("192.0.2.1", "198.51.100.2", routes=["10.2.0.0/24"])
    branch = site("198.51.100.2", "192.0.2.1", routes=["10.1.0.0/24"])
    assert _subnets("hq", hq=hq, branch=branch) == [Subnet(ip_interface("10.1.0.1/24"), ip_interface("10.1.0.2/24"))]
    assert len(stage({"hq": hq, "branch": branch}).flows()) == 2


def test_a_single_protected_host_gets_a_gateway_beside_it() -> None:
    hq = site("192.0.2.1", "198.51.100.2", selectors=[("10.1.0.5/32", "10.2.0.0/16")])
    assert _subnets("hq", hq=hq) == [Subnet(ip_interface("10.1.0.6/30"), ip_interface("10.1.0.5/30"))]


def test_more_networks_than_interfaces_share_the_last() -> None:
    hq = site(
        "192.0.2.1",
        "198.51.100.2",
        lans=("eth1", "eth2"),
        selectors=[("10.1.0.0/24", "10.2.0.0/24"), ("10.3.0.0/24", "10.2.0.0/24"), ("10.5.0.0/24", "10.2.0.0/24")],
    )
    lans = stage({"hq": hq}).site("hq").lans
    assert [(lan.interface, len(lan.subnets)) for lan in lans] == [("eth1", 1), ("eth2", 2)]


def test_two_proxy_ids_of_one_network_make_one_network() -> None:
    hq = site(
        "192.0.2.1",
        "198.51.100.2",
        selectors=[("10.1.0.0/24", "10.2.0.0/24"), ("10.1.0.0/24", "10.4.0.0/24")],
    )
    assert len(_subnets("hq", hq=hq)) == 1


def test_a_peer_from_anywhere_is_known_by_its_identity() -> None:
    hq = site("192.0.2.1", None, selectors=[("10.1.0.0/24", "10.2.0.0/24")])
    branch = site("198.51.100.2", "192.0.2.1", selectors=[("10.2.0.0/24", "10.1.0.0/24")])
    assert {f.site for f in stage({"hq": hq, "branch": branch}).flows()} == {"hq", "branch"}


def test_what_a_selector_forbids_does_not_flow() -> None:
    web = {"selectors": [("10.1.0.0/24", "10.2.0.0/24")], "protocol": 6, "ports": (443, 443)}
    hq = site("192.0.2.1", "198.51.100.2", **web)  # type: ignore[arg-type]
    branch = site("198.51.100.2", "192.0.2.1", selectors=[("10.2.0.0/24", "10.1.0.0/24")])
    (flow,) = (f for f in stage({"hq": hq, "branch": branch}).flows() if f.site == "hq")
    assert (flow.echo, flow.port) == (False, 443)


def test_ipv6_sites_stand_too() -> None:
    hq = site("2001:db8::1", "2001:db8::2", selectors=[("fd00:1::/64", "fd00:2::/64")])
    (subnet,) = _subnets("hq", hq=hq)
    assert subnet == Subnet(ip_interface("fd00:1::1/64"), ip_interface("fd00:1::2/64"))


def test_two_sites_cannot_have_one_address() -> None:
    one = site("192.0.2.1", "198.51.100.2")
    with pytest.raises(CannotStage, match=r"hq.*192\.0\.2\.1|192\.0\.2\.1.*hq"):
        stage({"hq": one, "branch": one})


def test_every_inner_address_is_to_be_hidden() -> None:
    hq = site("192.0.2.1", "198.51.100.2", selectors=[("10.1.0.0/16", "10.2.0.0/16")])
    assert stage({"hq": hq}).inner_addresses() == {ip_address("10.1.0.1"), ip_address("10.1.0.2")}
