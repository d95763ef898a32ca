"""The plan's own look-ups."""

from __future__ import annotations

from isthmus.model.plan import ChildPlan, InterfacePlan, IpsecProfile, Lifetime, Plan, TunnelPlan
from isthmus.model.quantities import Seconds
from isthmus.model.selectors import ANY_IPV4

PROFILE = IpsecProfile("strong", (), Lifetime(Seconds(3600.0)))


def tunnel(name: str, peer: str, *proxy_ids: str | None) -> TunnelPlan:
    children = tuple(ChildPlan(name, proxy_id, (ANY_IPV4,), (ANY_IPV4,)) for proxy_id in proxy_ids)
    return TunnelPlan(name, "tunnel.1", peer, PROFILE, children)


PLAN = Plan(
    tunnels={
        "branch": tunnel("branch", "hq", "lan", "web"),
        "plain": tunnel("plain", "hq", None),
        "other": tunnel("other", "elsewhere", None),
    }
)


def test_a_child_is_found_by_the_name_that_status_shows() -> None:
    for name in ("branch:lan", "branch:web", "plain"):
        found = PLAN.child(name)
        assert found is not None
        assert found[1].name == name
        assert found[1] in found[0].children


def test_a_child_that_is_not_configured_is_not_found() -> None:
    for name in ("branch", "branch:dmz", "plain:lan", "nowhere", ""):
        assert PLAN.child(name) is None


def test_the_tunnels_of_a_peer_are_its_own() -> None:
    assert [t.name for t in PLAN.tunnels_of("hq")] == ["branch", "plain"]
    assert PLAN.tunnels_of("nobody") == ()


def test_only_tunnel_interfaces_are_ours_to_make() -> None:
    assert InterfacePlan("tunnel.1", None, None).is_tunnel
    assert not InterfacePlan("tunnel", None, None).is_tunnel
    assert not InterfacePlan("eth0", None, None).is_tunnel
