"""Where IKEv2 is preferred and IKEv1 will do: what each peer gets, what is learnt of it, and what nobody can forge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from isthmus.engine.redirection import Redirect
from isthmus.events.ike import FellBack, IkeEstablished, NegotiationFailed, OlderVersionServes, RedirectRefused
from isthmus.model.plan import Dpd, Version
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, Pair, carries, connected, pair, promise_one_pair, up
from isthmus.sim.middle import Lose, any_ike, message
from isthmus.sim.network import Frame, Link
from isthmus.sim.plans import EAST, WEST, Party, plan_of
from isthmus.sim.reading import header_of
from isthmus.sim.scenario import scenario
from isthmus.sim.world import World
from isthmus.wire.ikev2.message import decode, encode
from isthmus.wire.ikev2.payloads import Nonce, Notify
from isthmus.wire.registry import ExchangeType, NotifyType

TAGS = ("issue4",)
REFUSALS = ("INVALID_MAJOR_VERSION", "NO_PROPOSAL_CHOSEN", "INVALID_SYNTAX", "AUTHENTICATION_FAILED")
VERSIONS = tuple(version.value for version in Version)
TRIES_TAKE = Seconds(20.0)
"""A quarter of a minute of silence, and what follows it."""


def _speaks(party: Party, version: Version) -> Party:
    dpd = Dpd(True, Seconds(2.0), 3)
    return replace(party, version=version, dpd=dpd, ike=("aes-256-cbc/sha256/sha256/group19",))


PREFERS = _speaks(EAST, Version.IKEV2_PREFERRED)


@scenario("version-preferred", each=VERSIONS, tags=TAGS)
def preferred(world: World, there: str) -> None:
    """The newest version that both have is spoken; where it is IKEv1, that is said aloud."""
    ends = connected(world, PREFERS, _speaks(WEST, Version(there)))
    older = there == Version.IKEV1
    _promise(ends, Version.IKEV1 if older else Version.IKEV2)
    world.check("the fall is told", bool(ends.east.told(FellBack)) == older)
    world.check("that an old version serves is told", bool(ends.east.told(OlderVersionServes)) == older)
    world.check("it is no failure", not ends.east.told(NegotiationFailed))


@scenario("version-preferred-by-the-responder", each=("ikev1", "ikev2"), tags=TAGS)
def preferred_by_responder(world: World, here: str) -> None:
    """Who prefers IKEv2 answers both versions."""
    ends = connected(world, _speaks(EAST, Version(here)), replace(PREFERS, **_place(WEST)))
    _promise(ends, Version(here))


@scenario("version-preferred-under-loss", link=Link(loss=0.1), each=VERSIONS, tags=TAGS)
def preferred_under_loss(world: World, there: str) -> None:
    """A tenth of all datagrams vanishes: the tunnel comes up in a version that both speak."""
    ends = connected(world, PREFERS, _speaks(WEST, Version(there)))
    (spoken,) = {sa.version for sa in ends.east.ike_sas if sa.state == "established"}
    world.check("both speak it", there in (spoken, Version.IKEV2_PREFERRED))


@scenario("version-preferred-by-both-at-once", link=Link(loss=0.1), tags=TAGS)
def preferred_by_both_at_once(world: World) -> None:
    """Both ends call, and what crosses is settled."""
    west = replace(PREFERS, **_place(WEST, passive=False))
    ends = connected(world, PREFERS, west)
    world.run(limit=Seconds(120.0))
    promise_one_pair(world, *ends.both)
    world.run(until=carries(ends))


@scenario("version-peer-is-upgraded", tags=TAGS)
def peer_is_upgraded(world: World) -> None:
    """The peer learns IKEv2: within little more than an hour the tunnel moves to it, and no packet is lost by that."""
    ends = connected(world, PREFERS, _speaks(WEST, Version.IKEV1), Seconds(0.5))
    ends.stop_traffic()
    ends.west.kill()
    ends.west.plan = plan_of(replace(PREFERS, **_place(WEST)), PREFERS)
    ends.west.boot()
    world.run(until=up(*ends.both), limit=Seconds(300.0))
    _promise(ends, Version.IKEV1)  # as it was remembered
    ends.begin_traffic()
    world.run(until=carries(ends))
    ends.forget_losses()
    told = len(ends.east.told(IkeEstablished))
    world.run(until=lambda: len(ends.east.told(IkeEstablished)) > told, limit=Seconds(4500.0))
    world.run(limit=Seconds(60.0))
    _promise(ends, Version.IKEV2)
    ends.stop_traffic()
    world.run(limit=Seconds(5.0))
    for flow in (ends.there, ends.back):
        world.check(f"no packet was lost, and not {flow.missing} of {flow.sent}", flow.missing == 0)


@scenario("version-peer-stays-old", tags=TAGS)
def peer_stays_old(world: World) -> None:
    """Asking for IKEv2 again and again does no harm to what stands, and is no failure."""
    short: dict[str, Any] = {"ike_lifetime": Seconds(3600.0), "child_lifetime": Seconds(3600.0)}
    west = replace(_speaks(WEST, Version.IKEV1), **short)
    ends = connected(world, replace(PREFERS, **short), west, Seconds(10.0))
    ends.forget_losses()
    world.run(limit=Seconds(2.5 * 3600.0))
    world.check("it was asked", len(ends.east.told(FellBack)) == 1)
    world.check("it is no failure", not ends.east.told(NegotiationFailed))
    _promise(ends, Version.IKEV1)
    ends.stop_traffic()
    world.run(limit=Seconds(5.0))
    for flow in (ends.there, ends.back):
        world.check(f"no packet was lost, and not {flow.missing} of {flow.sent}", flow.missing == 0)


@scenario("version-forged-refusal", each=REFUSALS, tags=TAGS)
def forged_refusal(world: World, notify: str) -> None:
    """Each request is refused by somebody who is quicker than the peer, whose first four answers are lost besides."""
    _refuse_each_request(world, NotifyType[notify])
    Lose(world.network, message(ExchangeType.IKE_SA_INIT, response=True), times=4)
    ends = connected(world, PREFERS, replace(PREFERS, **_place(WEST)))
    world.check("no refusal was believed", not ends.east.told(FellBack))
    _promise(ends, Version.IKEV2)


@scenario("version-forged-redirect", tags=TAGS)
def forged_redirect(world: World) -> None:
    """Somebody who sees our nonce sends us nowhere, again and again: that is no reason to call by IKEv1 either."""

    def nowhere(frame: Frame) -> Notify:
        request = decode(frame.body) if isinstance(frame.body, bytes) else None
        nonce = next(p.data for p in request.payloads if isinstance(p, Nonce)) if request is not None else b""
        return Notify(NotifyType.REDIRECT, Redirect(ip_address("127.0.0.1"), nonce).encode())

    _answer_each_request(world, nowhere)
    Lose(world.network, message(ExchangeType.IKE_SA_INIT, response=True), times=8)
    ends = connected(world, PREFERS, replace(PREFERS, **_place(WEST)))
    world.check("it was refused", ends.east.told(RedirectRefused))
    world.check("nothing was believed", not ends.east.told(FellBack))
    _promise(ends, Version.IKEV2)


@scenario("version-true-refusal", each=REFUSALS, tags=TAGS)
def true_refusal(world: World, notify: str) -> None:
    """That of a peer without IKEv2 proves no more than a forged one: it counts as silence, no more and no less."""
    _refuse_each_request(world, NotifyType[notify])
    ends = pair(world, PREFERS, _speaks(WEST, Version.IKEV1))
    world.run(until=lambda: bool(ends.east.told(FellBack)), limit=TRIES_TAKE)
    world.check(f"not before all tries were made, and not at {world.now:.1f}", world.now > 13.0)
    world.check("why is told", notify in ends.east.told(FellBack)[0].why)
    world.run(until=up(*ends.both), limit=TRIES_TAKE)
    _promise(ends, Version.IKEV1)


@scenario("version-proved-is-not-given-up", tags=TAGS)
def proved_is_not_given_up(world: World) -> None:
    """Who has proved to speak IKEv2 is not called by IKEv1, though IKEv2 is blocked on the way for an hour."""
    west = replace(PREFERS, **_place(WEST))
    ends = connected(world, PREFERS, west)
    ends.stop_traffic()
    ends.west.kill()
    ends.west.boot()

    def newer(frame: Frame) -> bool:
        header = header_of(frame)
        return header is not None and header.major == 2

    blocked = Lose(world.network, newer, times=None)
    world.run(limit=Seconds(3600.0))
    world.check("it was called", blocked.acted > 50)
    world.check("and not by IKEv1", not ends.east.told(FellBack))
    world.network.hooks.remove(blocked)
    world.run(until=up(*ends.both), limit=Seconds(300.0))
    _promise(ends, Version.IKEV2)


@scenario("version-peer-is-away", tags=TAGS)
def peer_is_away(world: World) -> None:
    """Nobody is there: both versions have their turns, until the peer answers one."""
    ends = pair(world, PREFERS, _speaks(WEST, Version.IKEV2))
    away = Lose(world.network, any_ike, times=None)
    world.run(until=lambda: len(ends.east.told(FellBack)) > 2, limit=Seconds(300.0))
    failures = ends.east.told(NegotiationFailed)
    world.check("it is said that nobody answered", failures and all(f.reason == "no-answer" for f in failures))
    world.network.hooks.remove(away)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    _promise(ends, Version.IKEV2)


def _promise(ends: Pair, version: Version) -> None:
    promise_one_pair(ends.world, *ends.both)
    for site in ends.both:
        spoken = {sa.version for sa in site.ike_sas}
        ends.world.check(f"{site.name} speaks {version}, and not {spoken}", spoken == {version})


def _place(party: Party, *, passive: bool = True) -> dict[str, Any]:
    return {"name": party.name, "address": party.address, "proxy_ids": party.proxy_ids, "passive": passive}


def _refuse_each_request(world: World, notify: NotifyType) -> None:
    _answer_each_request(world, lambda _: Notify(notify))


def _answer_each_request(world: World, forged: Callable[[Frame], Notify]) -> None:
    """Somebody who sees each IKE_SA_INIT request is quicker than the peer."""

    def forge(frame: Frame) -> None:
        header = header_of(frame)
        if header is not None and header.exchange == ExchangeType.IKE_SA_INIT and not header.response:
            answer = encode(replace(header, initiator=False, response=True), [forged(frame)])
            world.network.deliver(Frame(frame.destination, frame.source, answer), Seconds(0.001))

    world.network.taps.append(forge)
