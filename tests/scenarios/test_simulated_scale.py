"""A hub and its peers, all of them simulated: the bench's story with as many as every run can afford."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from bench.hub import Hub

from isthmus.model.quantities import Seconds

FEW, MANY = 20, 60
PEACE = Seconds(300.0)
PHASES = ("set-up", "rest", "rekeys", "silence", "after the silence", "hub away", "after the restart", "deletes")


@dataclass
class Told:
    """A story, and what stood after each of its acts: IKE SAs and Child SAs of the hub, and of each peer."""

    hub: Hub
    standing: dict[str, tuple[tuple[int, int], set[tuple[int, int]]]] = field(default_factory=dict)

    def after(self, act: str) -> None:
        getattr(self.hub, act)()
        counts = [(len(site.ike_sas), len(site.child_sas)) for site in self.hub.sites]
        self.standing[act] = counts[0], set(counts[1:])


@pytest.fixture(scope="module")
def told() -> dict[int, Told]:
    stories = {count: Told(Hub(count, seed=1, peace=PEACE, stride=5)) for count in (FEW, MANY)}
    for story in stories.values():
        for act in ("set_up", "rest", "rekeys", "outage", "restart", "deletes"):
            story.after(act)
    return stories


def test_each_peer_has_one_ike_sa_and_one_child_sa_at_both_ends_whatever_happened(told: dict[int, Told]) -> None:
    for count, story in told.items():
        for act in ("set_up", "rest", "outage", "restart"):
            assert story.standing[act] == ((count, count), {(1, 1)}), act


def test_nothing_is_left_at_either_end_once_all_have_said_goodbye(told: dict[int, Told]) -> None:
    for story in told.values():
        assert story.standing["deletes"] == ((0, 0), {(0, 0)})
        assert not any(site.plane.installed for site in story.hub.sites)
        # What is left is one peer's failures and versions, and no more the more happened.
        assert story.hub.memory("oblivion") < story.hub.memory("set-up")


def test_a_tunnel_costs_as_many_packets_beside_many_as_beside_few(told: dict[int, Told]) -> None:
    for phase in PHASES:
        few, many = (told[count].hub.phases[phase].sent / count for count in (FEW, MANY))
        assert 0.8 * few < many < 1.1 * few, phase


def test_a_tunnel_takes_the_hub_as_many_steps_beside_many_as_beside_few(told: dict[int, Told]) -> None:
    for phase in PHASES:
        few, many = (told[count].hub.phases[phase].meter.all_steps / count for count in (FEW, MANY))
        assert 0.8 * few <= many < 1.1 * few + 1, phase


def test_no_second_sees_more_than_the_first_calls_of_all_at_once(told: dict[int, Told]) -> None:
    """Back-off is capped and jittered: after an outage, too, the peers do not march in step."""
    for story in told.values():
        first = story.hub.phases["set-up"].busiest
        assert all(story.hub.phases[phase].busiest <= first for phase in PHASES)


def test_recovery_takes_no_longer_than_liveness_lets_it(told: dict[int, Told]) -> None:
    for story in told.values():
        phases = story.hub.phases
        assert phases["after the silence"].took < 5.0
        assert phases["after the restart"].took < 10.0
