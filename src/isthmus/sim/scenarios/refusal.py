"""How tunnels do not come up, and that both ends then hold nothing and know why."""

from __future__ import annotations

from dataclasses import replace

from isthmus.events.ike import FailureReason, IkeDeleted, IkeEstablished, NegotiationFailed
from isthmus.model.quantities import Seconds
from isthmus.model.sa_spec import DataPlaneOp, InstallSa
from isthmus.sim.goals import (
    SET_UP_LIMIT,
    Pair,
    carries,
    failed,
    pair,
    promise_nothing_stands,
    promise_one_pair,
    up,
)
from isthmus.sim.plans import EAST, WEST, Party, ProxyId
from isthmus.sim.scenario import BOTH, scenario
from isthmus.sim.world import World

INITIATES = ("east", "west")


@scenario("wrong-psk", each=INITIATES)
def wrong_psk(world: World, initiator: str) -> None:
    """The pre-shared keys differ: AUTHENTICATION_FAILED at both ends, and no SA (RFC 7296, 2.21.2)."""
    ends = _apart(world, initiator, replace(WEST, psk=b"a different key altogether"))
    _fails_at_both(ends, FailureReason.AUTHENTICATION_FAILED)


@scenario("wrong-identity", each=INITIATES)
def wrong_identity(world: World, initiator: str) -> None:
    """West demands a name that east does not bear: it says so locally, and east learns no more than no."""
    ends = _apart(world, initiator, replace(WEST, looks_for="somebody.else.example"))
    world.run(until=failed(ends.west, FailureReason.IDENTITY_MISMATCH))
    # RFC 7296, 2.21.2: a responder that was satisfied believes in the IKE SA until it is told of the refusal.
    world.run(until=lambda: bool(ends.east.told(NegotiationFailed) or ends.east.told(IkeDeleted)))
    world.run(limit=Seconds(120.0))
    promise_nothing_stands(world, *ends.both)
    world.check("west never thought an IKE SA established", not ends.west.told(IkeEstablished))


@scenario("no-common-ike-proposal", versions=BOTH, each=INITIATES)
def no_common_ike_proposal(world: World, initiator: str) -> None:
    """No encryption in common: NO_PROPOSAL_CHOSEN, and the end that refuses can show both lists."""
    ends = _apart(world, initiator, replace(WEST, ike=("aes-256-cbc/sha384/sha384/group31",)))
    _fails_at_both(ends, FailureReason.NO_PROPOSAL_CHOSEN)
    refusing = ends.other(initiator)
    told = [e for e in refusing.told(NegotiationFailed) if e.they_said and e.we_said]
    world.check("both lists are in the event", told)


@scenario("no-common-esp-proposal", versions=BOTH, each=INITIATES)
def no_common_esp_proposal(world: World, initiator: str) -> None:
    """The IKE SA stands, as only the Child SA was refused (RFC 7296, 1.2 and 2.21.2)."""
    ends = _apart(world, initiator, replace(WEST, esp=("aes-256-cbc/sha256",)))
    _child_refused(ends, initiator, FailureReason.NO_PROPOSAL_CHOSEN)


@scenario("disjoint-selectors", versions=BOTH, each=INITIATES)
def disjoint_selectors(world: World, initiator: str) -> None:
    """The networks of the two ends have nothing in common: TS_UNACCEPTABLE, the IKE SA stands (RFC 7296, 2.9)."""
    elsewhere = (ProxyId("lan", "10.7.0.0/16", "10.8.0.0/16"),)
    ends = _apart(world, initiator, replace(WEST, proxy_ids=elsewhere))
    _child_refused(ends, initiator, FailureReason.SELECTORS_UNACCEPTABLE)


@scenario("plane-refuses", versions=BOTH, each=("east-in", "east-out", "west-in", "west-out"))
def plane_refuses(world: World, what: str) -> None:
    """A data plane cannot take an SA: no half tunnel is left at either end; when it can again, the tunnel comes up."""
    name, direction = what.split("-")
    ends = pair(world)

    def full(op: DataPlaneOp) -> str | None:
        return "table full" if isinstance(op, InstallSa) and op.spec.direction == direction else None

    ends.one(name).refuse = full
    world.run(until=failed(ends.one(name), FailureReason.DATA_PLANE_REFUSED))
    world.run(limit=Seconds(5.0))
    # Not in the middle of the next attempt, for which an inbound SA stands already.
    world.run(until=lambda: not ends.one(name).plane.installed, limit=Seconds(2.0))
    ends.one(name).refuse = lambda _: None
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    ends.begin_traffic()
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


def _apart(world: World, initiator: str, west: Party) -> Pair:
    """Two sites that will not agree; one of them begins, again and again."""
    east = replace(EAST, passive=initiator != "east")
    ends = pair(world, east, replace(west, passive=initiator != "west"))
    ends.begin_traffic()
    return ends


def _fails_at_both(ends: Pair, *reasons: FailureReason) -> None:
    world = ends.world
    world.run(until=lambda: all(failed(site, *reasons)() for site in ends.both))
    world.run(limit=Seconds(120.0))
    promise_nothing_stands(world, *ends.both)
    for site in ends.both:
        world.check(f"{site.name} never thought an IKE SA established", not site.told(IkeEstablished))
    world.check("not a packet passed", ends.there.received + ends.back.received == 0)


def _child_refused(ends: Pair, initiator: str, reason: FailureReason) -> None:
    world = ends.world
    world.run(until=lambda: all(failed(site, reason)() for site in ends.both))
    world.run(limit=Seconds(60.0))
    promise_nothing_stands(world, *ends.both)
    for site in ends.both:
        states = [ike.state for ike in site.ike_sas]
        world.check(f"the IKE SA stands at {site.name}, not {states}", states == ["established"])
    told = [e for e in ends.other(initiator).told(NegotiationFailed) if e.they_said and e.we_said]
    world.check("both lists are in the event", told)
