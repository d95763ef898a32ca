"""A gateway that sends its callers elsewhere. RFC 5685."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

from isthmus.engine.redirection import MAX_REDIRECTS, Redirect
from isthmus.events.ike import IkeEstablished, IkeRedirected, RedirectRefused
from isthmus.model.address import Address
from isthmus.model.quantities import Seconds
from isthmus.sim.goals import SET_UP_LIMIT, carries, pair_of, promise_one_pair, up
from isthmus.sim.network import Drop, Frame, Verdict
from isthmus.sim.plans import EAST, WEST, plan_of, site_of
from isthmus.sim.reading import header_of
from isthmus.sim.scenario import scenario
from isthmus.sim.world import World
from isthmus.wire.ikev2.message import decode, encode
from isthmus.wire.ikev2.payloads import Nonce, Notify
from isthmus.wire.registry import ExchangeType, NotifyType

FRONT = "198.51.100.1"
"""Where east believes west to be: somebody there only sends on."""

NOWHERE = {"broadcast": "255.255.255.255", "multicast": "224.0.0.5", "loopback": "127.0.0.1", "self": EAST.address}


@scenario("redirect", each=("clean", "under-loss"))
def redirected(world: World, weather: str) -> None:
    """The first gateway answers IKE_SA_INIT by naming another; that one is called, and told who did so."""
    if weather == "under-loss":
        world.network.link = replace(world.network.link, loss=0.25)
    told_who: list[bytes] = []

    def note(frame: Frame) -> None:
        for notify in _notifies(frame):
            if notify.notify == NotifyType.REDIRECTED_FROM:
                told_who.append(notify.data)

    world.network.taps.append(note)
    _send_on(world, FRONT, lambda _: ip_address(WEST.address))
    east = replace(EAST, knows=FRONT)
    one = world.site("east", plan_of(east, WEST), ip_address(east.address))
    other = world.site("west", plan_of(WEST, EAST), ip_address(WEST.address))
    ends = pair_of(world, one, other, east, WEST)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    ends.begin_traffic()
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
    world.check("it was told", one.told(IkeRedirected))
    world.check("the new gateway hears who sent us", set(told_who) == {Redirect(ip_address(FRONT)).encode()})
    promise_one_pair(world, *ends.both)


@scenario("redirect-by-name", each=("known", "unknown"))
def redirected_by_name(world: World, how: str) -> None:
    """The first gateway names another by its name, which is looked up; one that nobody knows leads nowhere."""
    _send_on(world, FRONT, lambda _: "gateway.example")
    east = replace(EAST, knows=FRONT)
    one, other = site_of(world, east, WEST), site_of(world, WEST, EAST)
    if how == "unknown":
        world.run(until=lambda: bool(one.told(RedirectRefused)), limit=Seconds(10.0))
        world.check("it went nowhere", not one.told(IkeRedirected))
        return
    one.names["gateway.example"] = (ip_address("2001:db8::2"), ip_address(WEST.address))
    ends = pair_of(world, one, other, east, WEST)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    ends.begin_traffic()
    world.run(until=carries(ends), limit=SET_UP_LIMIT)
    world.check("it was told", one.told(IkeRedirected))
    promise_one_pair(world, *ends.both)


@scenario("redirect-loop")
def redirected_in_a_loop(world: World) -> None:
    """Two gateways send us to each other: after five times in five minutes we go no further."""
    second = "198.51.100.3"
    _send_on(world, FRONT, lambda _: ip_address(second))
    _send_on(world, second, lambda _: ip_address(FRONT))
    site = world.site("east", plan_of(replace(EAST, knows=FRONT), WEST), ip_address(EAST.address))
    world.run(limit=Seconds(290.0))
    followed = len(site.told(IkeRedirected))
    world.check(f"it goes elsewhere {MAX_REDIRECTS} times, and not {followed}", followed == MAX_REDIRECTS)
    world.check("and says why it goes no further", site.told(RedirectRefused))


@scenario("redirect-nowhere", each=tuple(NOWHERE))
def redirected_nowhere(world: World, where: str) -> None:
    """Somebody answers first and sends us where no gateway is: the true answer is waited for."""
    target = ip_address(NOWHERE[where])
    one = world.site("east", plan_of(EAST, WEST), ip_address(EAST.address))
    other = world.site("west", plan_of(WEST, EAST), ip_address(WEST.address))

    def forge(frame: Frame) -> None:
        if frame.destination.address == other.address and (answer := _redirection(frame, target)) is not None:
            world.network.deliver(answer, Seconds(0.001))

    world.network.taps.append(forge)
    ends = pair_of(world, one, other, EAST, WEST)
    world.run(until=up(*ends.both), limit=SET_UP_LIMIT)
    world.check("it did not go", not one.told(IkeRedirected) and one.told(RedirectRefused))
    world.check("one attempt was enough", len(one.told(IkeEstablished)) == 1)
    promise_one_pair(world, *ends.both)


def _send_on(world: World, front: str, to: Callable[[Frame], Address | str]) -> None:
    """Whoever begins with this address is sent on."""

    def act(frame: Frame) -> Verdict | None:
        if frame.destination.address != ip_address(front):
            return None
        answer = _redirection(frame, to(frame))
        if answer is not None:
            world.network.inject(answer)
        return Drop()

    world.network.hooks.append(act)


def _redirection(frame: Frame, to: Address | str) -> Frame | None:
    """The answer to an IKE_SA_INIT request that names another gateway."""
    header = header_of(frame)
    if header is None or header.exchange != ExchangeType.IKE_SA_INIT or header.response:
        return None
    if not isinstance(frame.body, bytes):
        return None
    nonce = next(p.data for p in decode(frame.body).payloads if isinstance(p, Nonce))
    notify = Notify(NotifyType.REDIRECT, Redirect(to, nonce).encode())
    octets = encode(replace(header, initiator=False, response=True), [notify])
    return Frame(frame.destination, frame.source, octets)


def _notifies(frame: Frame) -> list[Notify]:
    header = header_of(frame)
    if header is None or header.exchange != ExchangeType.IKE_SA_INIT or not isinstance(frame.body, bytes):
        return []
    return [p for p in decode(frame.body).payloads if isinstance(p, Notify)]
