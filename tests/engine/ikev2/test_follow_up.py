"""What becomes of key exchanges that do not follow, or follow on nothing. RFC 9370, 2.2.4."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from isthmus.engine import commands
from isthmus.engine.exchange import Exchange, Inbound, Run
from isthmus.engine.ikev2.dialect import Ikev2
from isthmus.engine.ikev2.exchanges import IKE_FOLLOWUP_KE, IKE_INTERMEDIATE
from isthmus.engine.ikev2.follow_up import WAIT, Creation, FollowUp
from isthmus.engine.ikev2.intention import Intention
from isthmus.engine.ikev2.key_rounds import KeyRounds
from isthmus.engine.ikev2.party import Party
from isthmus.engine.refusal import Refusal
from isthmus.events.ike import IkeDeleted
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import Pair, carries, connected, promise_one_pair, spis
from isthmus.sim.plans import EAST, WEST
from isthmus.sim.scenarios.crossing import child_of, peer_of
from isthmus.sim.site import Site
from isthmus.sim.world import World
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import NotifyType

ESP = "aes-256-gcm/group31/+ml-kem-768"
IKE = "aes-256-gcm/sha384/group31/+ml-kem-768"


@pytest.fixture
def ends() -> Pair:
    east, west = (replace(party, ike=(IKE,), esp=(ESP,)) for party in (EAST, WEST))
    return connected(World(1), east, west)


def party_of(site: Site) -> Party:
    assert site.gateway is not None
    (sa,) = site.gateway._ledger.ike_sas.values()
    assert isinstance(sa.dialect, Ikev2)
    return sa.dialect.party


def rounds_of(party: Party, link: bytes | None) -> KeyRounds:
    suite = party.sa.suite
    assert suite is not None
    return KeyRounds(suite, party.sa.ledger.surroundings, link)


class Stray(Intention):
    """A request that makes no sense here."""

    def __init__(self, exchange: Exchange[Any], context: object) -> None:
        self.run = Run(exchange, context)
        self.answers: list[NotifyType] = []

    def begin(self) -> Run[Any]:
        return self.run

    def succeeded(self, message: Inbound) -> None:
        raise AssertionError("it was answered")

    def refused(self, notify: Notify) -> None:
        self.answers.append(notify.notify)

    def rejected(self, refusal: Refusal) -> None:
        raise AssertionError(refusal)

    def silent(self, attempts: int) -> None:
        raise AssertionError("nobody answered")


class Lost(Creation):
    """A request whose key exchanges the replier never knows of."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.asked = 0

    def begin(self) -> None:
        self.asked += 1
        self.party.requests.want(FollowUp(self, rounds_of(self.party, b"unheard of")))

    def finished(self) -> None:
        raise AssertionError("it was answered")

    def succeeded(self, message: Inbound) -> None: ...

    def refused(self, notify: Notify) -> None: ...

    def rejected(self, refusal: Refusal) -> None: ...

    def silent(self, attempts: int) -> None: ...


def ask(ends: Pair, intention: Intention) -> None:
    anything = commands.RekeyIke("nobody")
    ends.east.command(anything)  # tells the gateway what time it is
    party_of(ends.east).requests.want(intention)
    ends.east.command(anything)  # fetches what is to be sent
    ends.world.run(limit=Seconds(5.0))


@pytest.mark.parametrize("link", [b"unheard of", b"", None])
def test_a_follow_up_on_nothing_is_told_so_and_the_ike_sa_stands(ends: Pair, link: bytes | None) -> None:
    stray = Stray(IKE_FOLLOWUP_KE, rounds_of(party_of(ends.east), link))
    ask(ends, stray)
    assert stray.answers == [NotifyType.STATE_NOT_FOUND]
    ends.world.run(until=carries(ends))
    promise_one_pair(ends.world, *ends.both)


def test_an_intermediate_exchange_on_an_ike_sa_that_stands_is_refused_and_harms_nothing(ends: Pair) -> None:
    stray = Stray(IKE_INTERMEDIATE, rounds_of(party_of(ends.east), None))
    ask(ends, stray)
    assert stray.answers == [NotifyType.INVALID_SYNTAX]
    ends.world.run(until=carries(ends))
    promise_one_pair(ends.world, *ends.both)


def test_with_a_peer_that_loses_the_state_again_and_again_there_is_no_going_on(ends: Pair) -> None:
    lost = Lost(party_of(ends.east))
    ask(ends, lost)
    assert lost.asked == 5
    (deleted,) = ends.east.told(IkeDeleted)
    assert "again and again" in deleted.reason
    ends.world.run(until=carries(ends))


@pytest.mark.parametrize("what", ["child", "ike"])
def test_what_is_not_followed_up_is_forgotten_and_the_old_sa_serves_on(
    ends: Pair, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Creation, "go_on", lambda self, rounds: None)
    before = spis(ends.east)
    west = party_of(ends.west)
    if what == "child":
        ends.east.command(commands.RekeyChild(child_of(ends.east)))
    else:
        ends.east.command(commands.RekeyIke(peer_of(ends.east)))
    ends.world.run(limit=Seconds(5.0))
    assert len(west.unfinished) == 1
    ends.world.run(limit=WAIT)
    assert west.unfinished == []
    assert spis(ends.east) == before
    ends.world.run(until=carries(ends))


def test_what_one_peer_leaves_unfinished_is_bounded(ends: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Creation, "go_on", lambda self, rounds: None)
    east, west = party_of(ends.east), party_of(ends.west)
    (child,) = east.sa.children.values()
    for _ in range(40):
        east.sa.dialect.create_child(child.tunnel, child.plan, (child.plan.local[0], child.plan.remote[0]))
        ends.east.command(commands.RekeyIke("nobody"))
        ends.world.run(limit=Seconds(0.2))
    assert len(west.unfinished) == 16
    ends.world.run(limit=WAIT)
    assert west.unfinished == []
