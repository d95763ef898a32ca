from dataclasses import replace

from isthmus.model.plan import Plan
from isthmus.runtime.switches import still_switched
from isthmus.sim.plans import EAST, WEST, merged, plan_of

TWO = merged(plan_of(EAST, WEST), plan_of(EAST, replace(WEST, name="north", address="203.0.113.5")))


def switched(plan: Plan, name: str) -> Plan:
    return replace(plan, tunnels={**plan.tunnels, name: replace(plan.tunnels[name], enabled=False)})


def test_a_tunnel_that_was_taken_down_stays_down_when_the_configuration_is_read_again() -> None:
    plan = still_switched(TWO, switched(TWO, "north"))
    assert {name: tunnel.enabled for name, tunnel in plan.tunnels.items()} == {"west": True, "north": False}


def test_also_when_it_is_configured_otherwise() -> None:
    north = replace(TWO.tunnels["north"], interface="tunnel.9")
    found = replace(TWO, tunnels={**TWO.tunnels, "north": north})
    assert still_switched(found, switched(TWO, "north")).tunnels["north"] == replace(north, enabled=False)


def test_one_that_is_gone_is_forgotten() -> None:
    without = replace(TWO, tunnels={"west": TWO.tunnels["west"]})
    assert still_switched(without, switched(TWO, "north")) == without
    assert still_switched(TWO, without) is TWO


def test_an_enabled_one_is_what_the_configuration_says() -> None:
    assert still_switched(TWO, TWO) is TWO
