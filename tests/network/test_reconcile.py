from __future__ import annotations

import os
import signal
from collections.abc import Callable
from ipaddress import ip_network

import pytest

from isthmus.events.event import Event
from isthmus.events.network import ClampMissing, ForwardingOff, LeftoversRemoved, MtuChosen, NetworkRefused
from isthmus.model.plan import Mode, Plan
from isthmus.model.quantities import Instant
from isthmus.network import nftables
from isthmus.network.desired import NOTHING, DesiredState, Route, desired_state
from isthmus.network.netlink import Netlink, PresentLink, PresentState
from isthmus.network.reconcile import Add, Delete, HostNetwork, SetUp, difference
from tests.network.namespace import Namespace, needs_root, open_tun
from tests.network.plans import interface, plan, route

NOW = Instant(100.0)
SIXTEEN = ip_network("10.2.0.0/16")


def wanted(text: Plan) -> DesiredState:
    return desired_state(text, {"eth0": 1500})


def standing(state: DesiredState) -> PresentState:
    """The host as it is once the state was applied."""
    links = {name: PresentLink(2, link.mtu, up=True, ours=True) for name, link in state.links.items()}
    return PresentState(links, state.addresses, state.routes)


def test_what_stands_already_is_left_alone() -> None:
    state = wanted(plan(route("10.2.0.0/16")))
    assert difference(state, state, standing(state)) == ()


def test_the_backstop_comes_first_and_goes_last() -> None:
    state = wanted(plan(route("10.2.0.0/16")))
    backstop = Route(SIXTEEN, None, 2**32 - 1)
    coming = difference(state, NOTHING, PresentState())
    assert coming[0] == Add(backstop)
    assert isinstance(coming[1], SetUp)
    assert coming[-1] == Add(Route(SIXTEEN, "tunnel.1", 10))
    going = difference(NOTHING, state, standing(state))
    assert going[-1] == Delete(backstop)


def test_a_route_that_moves_stands_in_its_new_place_before_it_leaves_the_old() -> None:
    links = (interface("tunnel.1"), interface("tunnel.2"))
    old = wanted(plan(route("10.2.0.0/16", "tunnel.1", 10), interfaces=links))
    new = wanted(plan(route("10.2.0.0/16", "tunnel.2", 20), interfaces=links))
    assert difference(new, old, standing(old)) == (
        Add(Route(SIXTEEN, "tunnel.2", 20)),
        Delete(Route(SIXTEEN, "tunnel.1", 10)),
    )


def test_a_link_whose_mtu_differs_is_set_again_and_nothing_else() -> None:
    old, new = (desired_state(plan(route("10.2.0.0/16")), {"eth0": mtu}) for mtu in (1500, 1400))
    assert difference(new, old, standing(old)) == (SetUp(new.links["tunnel.1"]),)


def applied(host: Namespace, network: HostNetwork, text: Plan) -> tuple[Event, ...]:
    return host.run(lambda: network.apply(wanted(text), NOW))


def kinds(events: tuple[Event, ...]) -> set[type[Event]]:
    return {type(event) for event in events}


@needs_root
def test_a_plan_is_laid_out_and_taken_back(host: Namespace) -> None:
    before = host.shell("ip -4 route; ip -6 route; nft list tables; ip -br link")
    host.tun("tunnel.1")
    network = HostNetwork()
    layout = plan(
        route("10.2.0.0/16"),
        route("fd02::/64"),
        interfaces=(interface("tunnel.1", "10.255.0.1/30", "fd00::1/64"),),
    )
    assert NetworkRefused not in kinds(applied(host, network, layout))
    routes = host.shell("ip route; ip -6 route")
    assert "10.2.0.0/16 dev tunnel.1 proto 73 scope link metric 10" in routes
    assert "unreachable 10.2.0.0/16 proto 73 metric 4294967295" in routes
    assert "fd02::/64 dev tunnel.1 proto 73 metric 10" in routes
    link = host.shell("ip addr show tunnel.1")
    assert "mtu 1438" in link
    assert "inet 10.255.0.1/30" in link
    assert "inet6 fd00::1/64" in link
    assert "fe80::" not in link
    host.run(lambda: network.remove(NOW))
    host.drop("tunnel.1")
    assert host.shell("ip -4 route; ip -6 route; nft list tables; ip -br link") == before


@needs_root
def test_applying_twice_changes_nothing_and_says_nothing(host: Namespace) -> None:
    host.tun("tunnel.1")
    network = HostNetwork()
    applied(host, network, plan(route("10.2.0.0/16")))
    before = host.shell("ip -d addr; ip route; nft -a list ruleset")
    assert applied(host, network, plan(route("10.2.0.0/16"))) == ()
    assert host.shell("ip -d addr; ip route; nft -a list ruleset") == before


@needs_root
def test_what_others_did_stays(host: Namespace) -> None:
    host.cable("other")
    host.shell("ip addr add 10.9.0.1/24 dev other")
    host.shell("ip route add 10.3.0.0/16 dev other proto static; ip route add blackhole 10.4.0.0/16")
    host.shell("nft add table inet filter")
    before = host.shell("ip addr; ip route; nft list ruleset")
    host.tun("tunnel.1")
    network = HostNetwork()
    host.run(lambda: network.clean(NOTHING, NOW))
    applied(host, network, plan(route("10.2.0.0/16")))
    host.shell("ip addr add 192.0.2.77/32 dev tunnel.1")
    applied(host, network, plan(interfaces=(interface("tunnel.1"),)))
    assert "192.0.2.77" in host.shell("ip addr show tunnel.1")
    assert "10.255.0.1" not in host.shell("ip addr show tunnel.1")
    host.run(lambda: network.remove(NOW))
    host.drop("tunnel.1")
    assert host.shell("ip addr; ip route; nft list ruleset") == before


@needs_root
def test_a_route_of_somebody_else_is_never_replaced(host: Namespace) -> None:
    host.cable("other")
    host.shell("ip route add 10.2.0.0/16 dev other metric 10")
    host.tun("tunnel.1")
    network = HostNetwork()
    events = applied(host, network, plan(route("10.2.0.0/16")))
    (refused,) = (event for event in events if isinstance(event, NetworkRefused))
    assert refused.why == "File exists"
    assert "10.2.0.0/16 dev other" in host.shell("ip route")
    assert applied(host, network, plan(route("10.2.0.0/16"))) == ()
    host.shell("ip route del 10.2.0.0/16 dev other")
    applied(host, network, plan(route("10.2.0.0/16")))
    assert "10.2.0.0/16 dev tunnel.1" in host.shell("ip route")


@needs_root
def test_what_somebody_took_away_is_put_back(host: Namespace) -> None:
    host.tun("tunnel.1")
    network = HostNetwork()
    applied(host, network, plan(route("10.2.0.0/16")))
    laid_out = host.shell("ip addr; ip route; nft list ruleset")
    host.shell("ip link set tunnel.1 down; ip addr flush dev tunnel.1; nft flush ruleset")
    applied(host, network, plan(route("10.2.0.0/16")))
    assert host.shell("ip addr; ip route; nft list ruleset") == laid_out


@needs_root
def test_after_a_kill_the_next_start_finds_what_is_ours(host: Namespace) -> None:
    host.shell("ip route add unreachable 10.4.0.0/16 metric 7")
    before = host.shell("ip route; nft list ruleset")
    reader, writer = os.pipe()

    def lay_out() -> int:
        child = os.fork()
        if child == 0:
            _lay_out_and_wait(writer)
        return child

    child = host.run(lay_out)
    assert os.read(reader, 1) == b"+"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    routes = host.shell("ip route")
    # The tunnel's route went with its device; the backstop keeps its traffic from the default route.
    assert "dev tunnel.1" not in routes
    assert "unreachable 10.2.0.0/16 proto 73" in routes
    # A start that wants the route again never takes the backstop away.
    (event,) = host.run(lambda: HostNetwork().clean(wanted(plan(route("10.2.0.0/16"))), NOW))
    assert isinstance(event, LeftoversRemoved)
    assert event.what == ("table inet isthmus",)
    assert host.shell("ip route") == routes
    (event,) = host.run(lambda: HostNetwork().clean(NOTHING, NOW))
    assert isinstance(event, LeftoversRemoved)
    assert event.what == ("route 10.2.0.0/16 unreachable metric 4294967295",)
    assert host.shell("ip route; nft list ruleset") == before
    assert host.run(lambda: HostNetwork().clean(NOTHING, NOW)) == ()


def _lay_out_and_wait(ready: int) -> None:
    try:
        open_tun("tunnel.1")
        HostNetwork().apply(wanted(plan(route("10.2.0.0/16"))), NOW)
        os.write(ready, b"+")
        signal.pause()
    finally:
        os._exit(1)


@needs_root
def test_a_leftover_interface_of_ours_is_removed_and_a_stranger_is_not(host: Namespace) -> None:
    host.shell("ip tuntap add tunnel.1 mode tun; ip link set tunnel.1 alias isthmus; ip tuntap add tunnel.2 mode tun")
    assert host.run(lambda: HostNetwork().foreign(("tunnel.1", "tunnel.2", "tunnel.3"))) == ("tunnel.2",)
    host.run(lambda: HostNetwork().clean(NOTHING, NOW))
    links = host.shell("ip -br link")
    assert "tunnel.1" not in links
    assert "tunnel.2" in links


@needs_root
def test_a_missing_interface_is_told_and_its_backstop_stands(host: Namespace) -> None:
    events = applied(host, HostNetwork(), plan(route("10.2.0.0/16")))
    refused = {event.change: event.why for event in events if isinstance(event, NetworkRefused)}
    assert refused["add route 10.2.0.0/16 by tunnel.1 metric 10"] == "there is no interface tunnel.1"
    assert "unreachable 10.2.0.0/16" in host.shell("ip route")


@needs_root
def test_forwarding_that_is_off_is_told_and_not_changed(host: Namespace) -> None:
    host.tun("tunnel.1")
    host.shell("echo 0 > /proc/sys/net/ipv4/ip_forward")
    network = HostNetwork()
    events = applied(host, network, plan(route("10.2.0.0/16")))
    assert [e.sysctl for e in events if isinstance(e, ForwardingOff)] == ["net.ipv4.ip_forward"]
    assert host.shell("cat /proc/sys/net/ipv4/ip_forward") == "0"
    host.shell("echo 1 > /proc/sys/net/ipv4/ip_forward")
    assert ForwardingOff not in kinds(applied(host, HostNetwork(), plan(route("10.2.0.0/16"))))


@needs_root
def test_the_mtu_and_its_reason_are_told(host: Namespace) -> None:
    host.tun("tunnel.1")
    events = applied(host, HostNetwork(), plan())
    assert [(e.interface, e.mtu) for e in events if isinstance(e, MtuChosen)] == [("tunnel.1", 1438)]


@needs_root
def test_without_nft_the_tunnel_works_and_a_warning_says_what_is_missing(
    host: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nftables, "_nft", lambda: None)
    host.tun("tunnel.1")
    network = HostNetwork()
    events = applied(host, network, plan(route("10.2.0.0/16")))
    assert [e.why for e in events if isinstance(e, ClampMissing)] == ["the command nft is not installed"]
    assert "10.2.0.0/16 dev tunnel.1" in host.shell("ip route")
    assert host.run(lambda: network.remove(NOW)) == ()


@needs_root
def test_a_default_route_of_either_family_comes_and_goes(host: Namespace) -> None:
    host.tun("tunnel.1")
    network = HostNetwork()
    everything = plan(route("0.0.0.0/0"), route("::/0"))
    assert NetworkRefused not in kinds(applied(host, network, everything))
    assert applied(host, network, everything) == ()
    host.run(lambda: network.remove(NOW))
    with_netlink: Callable[[], PresentState] = lambda: Netlink().present()  # noqa: E731
    assert host.run(with_netlink).routes == frozenset()


@needs_root
def test_hosts_in_transport_mode_are_guarded_before_a_route_leads_there_and_after_a_crash(host: Namespace) -> None:
    host.tun("tunnel.1")
    between = plan(route("198.51.100.2/32"), mode=Mode.TRANSPORT)
    applied(host, HostNetwork(), between)
    rules = host.shell("nft list table inet isthmus-guard")
    assert 'oifname != "tunnel.1" ip saddr 192.0.2.1 ip daddr 198.51.100.2 counter packets 0 bytes 0 drop' in rules
    assert 'iifname != "tunnel.1" ip daddr 192.0.2.1 ip saddr 198.51.100.2 counter packets 0 bytes 0 drop' in rules
    assert "unreachable" not in host.shell("ip route")  # what is sealed has to pass
    next_run = HostNetwork()
    host.run(lambda: next_run.clean(wanted(between), NOW))
    assert host.shell("nft list tables") == "table inet isthmus-guard"
    applied(host, next_run, between)
    assert "isthmus-guard" in host.shell("nft list tables")
    host.run(lambda: next_run.remove(NOW))
    assert host.shell("nft list tables") == ""


@needs_root
def test_a_guard_that_is_not_wanted_again_is_a_leftover(host: Namespace) -> None:
    host.tun("tunnel.1")
    applied(host, HostNetwork(), plan(route("198.51.100.2/32"), mode=Mode.TRANSPORT))
    (left,) = host.run(lambda: HostNetwork().clean(wanted(plan(route("10.2.0.0/16"))), NOW))
    assert isinstance(left, LeftoversRemoved)
    assert "table inet isthmus-guard" in left.what
    assert "isthmus-guard" not in host.shell("nft list tables")
