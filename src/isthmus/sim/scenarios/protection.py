"""AH, transport mode, ESP without authentication, and keys by hand. RFC 4302, RFC 4303, RFC 7296, 1.3.1 and 2.23.1."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from isthmus.engine.commands import Apply, RekeyChild
from isthmus.events.child import ChildDeleted, ChildInstalled
from isthmus.events.ike import FailureReason, NegotiationFailed, WeakAlgorithm
from isthmus.model.algorithms import ENCRYPTION_BY_NAME, INTEGRITY_BY_NAME
from isthmus.model.plan import InterfacePlan, ManualPlan, Mode, Plan, Version
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.quantities import InboundSpi, OutboundSpi, Seconds
from isthmus.model.secret import Secret
from isthmus.model.selectors import ANY_IPV4
from isthmus.sim.goals import (
    SET_UP_LIMIT,
    Pair,
    carries,
    connected,
    failed,
    pair,
    pair_of,
    promise_nothing_stands,
    promise_one_pair,
    spis,
    up,
)
from isthmus.sim.middle import Observe, any_esp
from isthmus.sim.network import Uplink
from isthmus.sim.plans import EAST, WEST, Party, ProxyId, plan_of
from isthmus.sim.scenario import scenario
from isthmus.sim.world import World

TAGS = ("issue4",)
VERSIONS = ("ikev1", "ikev2")
FORMS = {
    "ah-tunnel": ("ah/sha256", Mode.TUNNEL),
    "ah-transport": ("ah/sha512", Mode.TRANSPORT),
    "ah-esn": ("ah/sha384/esn", Mode.TUNNEL),
    "ah-md5-pfs": ("ah/md5/group14", Mode.TUNNEL),
    "esp-transport": ("aes-128-cbc/sha1", Mode.TRANSPORT),
    "esp-transport-gcm": ("aes-256-gcm", Mode.TRANSPORT),
    "esp-bare": ("aes-256-cbc/none", Mode.TUNNEL),
}
EACH = tuple(f"{version}-{form}" for version in VERSIONS for form in FORMS if (version, form) != ("ikev1", "ah-esn"))
"""IKEv1 is offered no extended sequence numbers."""
STOPPED = ("ah-tunnel", "esp-transport")


@scenario("protected-by", each=EACH, tags=TAGS)
def protected_by(world: World, what: str) -> None:
    """Each protocol and mode, by each version: packets pass both ways, none in UDP, and a rekey loses none."""
    version, _, form = what.partition("-")
    ends = connected(world, _party(EAST, version, form), _party(WEST, version, form))
    seen = Observe(world.network, any_esp)
    promise_one_pair(world, *ends.both)
    bare = [e for e in ends.east.told(WeakAlgorithm) if e.algorithm == "none"]
    world.check("missing authentication is named as weak", bool(bare) == (form == "esp-bare"))
    if form != "esp-bare":
        world.run(until=carries(ends))
        world.check("not a packet is in UDP", seen.frames and not any(frame.udp for frame in seen.frames))
    before = spis(ends.east)
    ends.forget_losses()
    ends.east.command(RekeyChild(next(iter(ends.east.plan.tunnels.values())).children[0].name))
    world.run(until=lambda: spis(ends.east).isdisjoint(before), limit=Seconds(60.0))
    world.run(until=carries(ends))
    promise_one_pair(world, *ends.both)


@scenario("nat-stops", each=tuple(f"{version}-{form}" for version in VERSIONS for form in STOPPED), tags=TAGS)
def nat_stops(world: World, what: str) -> None:
    """East is behind a NAT, which neither AH nor transport mode passes: refused, with the reason."""
    version, _, form = what.partition("-")
    east = replace(_party(EAST, version, form), address="172.16.0.5")
    west = replace(_party(WEST, version, form), knows="dynamic")
    inside = world.nat(ip_address("203.0.113.9"))
    one = world.site("east", plan_of(east, west), ip_address(east.address), behind=inside)
    other = world.site("west", plan_of(west, east), ip_address(west.address))
    ends = pair_of(world, one, other, east, west)
    world.run(until=failed(ends.east, FailureReason.BEHIND_NAT))
    world.run(limit=Seconds(60.0))
    promise_nothing_stands(world, *ends.both)
    told = [e for e in ends.east.told(NegotiationFailed) if e.reason is FailureReason.BEHIND_NAT]
    world.check("the reason names the NAT", all("behind a NAT" in e.detail for e in told))


@scenario("moves-while", each=("ah-tunnel", "ah-transport", "esp-transport"), tags=TAGS)
def moves_while(world: World, form: str) -> None:
    """East moves (RFC 4555): AH in tunnel mode goes along, transport mode cannot, and nothing of it is left behind."""
    ends = _moved(world, form, world.network, "192.0.2.200")
    if FORMS[form][1] is Mode.TUNNEL:
        world.run(until=carries(ends, fresh=10), limit=Seconds(60.0))
        promise_one_pair(world, *ends.both)
    else:
        world.run(limit=Seconds(20.0))
        promise_nothing_stands(world, *ends.both)


@scenario("nat-comes-between", tags=TAGS)
def nat_comes_between(world: World) -> None:
    """East moves behind a NAT, which AH does not pass: its Child SA goes, and the reason is told."""
    ends = _moved(world, "ah-tunnel", world.nat(ip_address("203.0.113.9")), "172.16.0.5")
    world.run(until=failed(ends.east, FailureReason.BEHIND_NAT), limit=Seconds(120.0))
    # The answer to west's delete may still be under way.
    world.run(until=lambda: not ends.west.plane.installed, limit=Seconds(1.0))
    promise_nothing_stands(world, *ends.both)


@scenario("modes-differ", each=("ikev1-east", "ikev1-west", "ikev2-east", "ikev2-west"), tags=TAGS)
def modes_differ(world: World, what: str) -> None:
    """One end wants transport mode, the other tunnel mode: no Child SA, and both modes are in the event."""
    version, _, name = what.partition("-")
    east, west = (_party(party, version, "esp-transport") for party in (EAST, WEST))
    if name == "east":
        west = replace(west, mode=Mode.TUNNEL)
    else:
        east = replace(east, mode=Mode.TUNNEL)
    ends = pair(world, east, west)
    world.run(until=lambda: any(failed(site, FailureReason.MODE_MISMATCH)() for site in ends.both))
    world.run(limit=Seconds(60.0))
    promise_nothing_stands(world, *ends.both)


@scenario("manual-keys", each=("esp", "ah"), tags=TAGS)
def manual_keys(world: World, protocol: str) -> None:
    """Keys by hand: up from the first moment, without a word of IKE; a commit touches only what it changes."""
    ends = _by_hand(world, protocol)
    world.run(until=up(*ends.both), limit=Seconds(1.0))
    ends.begin_traffic()
    world.run(until=carries(ends))
    world.check("nobody spoke IKE", not ends.east.ike_sas and not ends.west.ike_sas)
    ends.forget_losses()
    ends.east.command(Apply(replace(ends.east.plan, settings=replace(ends.east.plan.settings))))
    world.run(until=carries(ends))
    world.check("an unchanged SA was left alone", len(ends.east.told(ChildInstalled)) == 1)
    manual = ends.east.plan.manual["west"]
    off = replace(ends.east.plan, manual={"west": replace(manual, enabled=False)})
    ends.east.command(Apply(off))
    world.check("what is disabled is gone", not ends.east.plane.installed and not ends.east.plane.policies)
    received = ends.there.received
    world.run(limit=Seconds(2.0))
    world.check("and carries nothing", ends.there.received <= received + 1)
    ends.east.command(Apply(ends.east.plan))
    world.run(until=carries(ends))
    ends.east.command(Apply(replace(ends.east.plan, manual={})))
    world.check("what is configured no more is gone", not ends.east.plane.installed and not ends.east.plane.policies)
    world.check("and was told", len(ends.east.told(ChildDeleted)) == 2)


@scenario("manual-keys-after-a-crash", tags=TAGS)
def manual_keys_after_a_crash(world: World) -> None:
    """One end starts anew and counts from one again: without anti-replay its packets are taken (RFC 4303, 2.2)."""
    ends = _by_hand(world, "ah")
    world.run(until=up(*ends.both), limit=Seconds(1.0))
    ends.begin_traffic()
    world.run(until=carries(ends, 20), limit=SET_UP_LIMIT)
    ends.west.kill()
    ends.west.boot()
    world.run(until=carries(ends), limit=Seconds(30.0))


def _moved(world: World, form: str, uplink: Uplink, address: str) -> Pair:
    """Two sites with a tunnel, of which east has just gone elsewhere."""
    east = _party(EAST, "ikev2", form)
    west = replace(_party(WEST, "ikev2", form), knows="dynamic")
    ends = connected(world, east, west)
    ends.east.plug(uplink, ip_address(address))
    ends.east.plan = plan_of(_party(replace(EAST, address=address), "ikev2", form), west)
    ends.east.command(Apply(ends.east.plan))
    return ends


def _party(party: Party, version: str, form: str) -> Party:
    protection, mode = FORMS[form]
    other = WEST if party.name == "east" else EAST
    proxies = (ProxyId("peer", party.address, other.address),) if mode is Mode.TRANSPORT else party.proxy_ids
    ike = ("aes-256-cbc/sha256/sha256/group19",)
    return replace(party, version=Version(version), ike=ike, esp=(protection,), mode=mode, proxy_ids=proxies)


def _by_hand(world: World, protocol: str) -> Pair:
    east, west = (
        world.site(here.name, _manual_plan(here, there, protocol), ip_address(here.address))
        for here, there in ((EAST, WEST), (WEST, EAST))
    )
    return pair_of(world, east, west, EAST, WEST)


def _manual_plan(here: Party, there: Party, protocol: str) -> Plan:
    integrity = INTEGRITY_BY_NAME["sha1"]
    cipher = ENCRYPTION_BY_NAME["aes-128-cbc"] if protocol == "esp" else None
    spis_of = {"east": 0x1001, "west": 0x1002}
    manual = ManualPlan(
        name=there.name,
        interface="tunnel.1",
        outer="eth0",
        local=ip_address(here.address),
        remote=ip_address(there.address),
        spi_in=InboundSpi(spis_of[here.name]),
        spi_out=OutboundSpi(spis_of[there.name]),
        suite=Suite(Protocol.ESP if cipher else Protocol.AH, cipher, integrity, None, None),
        encryption_key=Secret(b"cipher key, 16!!" if cipher else b""),
        integrity_key=Secret(b"a key of twenty byte"),
        selectors=((ANY_IPV4,), (ANY_IPV4,)),
    )
    return Plan(interfaces={"tunnel.1": InterfacePlan("tunnel.1", "vpn", "default")}, manual={there.name: manual})
