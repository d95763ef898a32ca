"""An engine that does what a test tells it to, right or wrong."""

from __future__ import annotations

from collections import deque
from ipaddress import ip_address

from isthmus.engine.commands import Command
from isthmus.engine.outputs import Output
from isthmus.engine.surroundings import Surroundings
from isthmus.engine.views import ChildView, IkeSaView, TunnelView
from isthmus.model.address import Datagram, Endpoint
from isthmus.model.plan import Mode, Plan, Version
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.quantities import Instant
from isthmus.model.sa_spec import SaSpec
from isthmus.sim.plans import EAST, WEST, Party, plan_of
from isthmus.sim.site import Site
from isthmus.sim.world import World


class Puppet:
    """`Brain` by hand: what is put into `saying` is what it says when it is called next."""

    def __init__(self, plan: Plan, surroundings: Surroundings) -> None:
        self.plan = plan
        self.surroundings = surroundings
        self.saying: deque[Output] = deque()
        self.heard: list[Datagram] = []
        self.commands: list[Command] = []
        self.timer: Instant | None = None
        self.sas: tuple[IkeSaView, ...] = ()
        self.idle = True
        self.raising: Exception | None = None

    def receive(self, datagram: Datagram, now: Instant) -> None:
        if self.raising:
            raise self.raising
        self.heard.append(datagram)

    def command(self, command: Command, now: Instant) -> None:
        self.commands.append(command)

    def handle_timer(self, now: Instant) -> None:
        pass

    def next_timer(self) -> Instant | None:
        return self.timer

    def poll(self) -> Output | None:
        return self.saying.popleft() if self.saying else None

    def child_sas(self) -> tuple[ChildView, ...]:
        return tuple(child for ike in self.ike_sas() for child in ike.children)

    def ike_sas(self) -> tuple[IkeSaView, ...]:
        return self.sas

    def tunnels(self) -> tuple[TunnelView, ...]:
        return ()


def stage(seed: int = 1, east: Party = EAST, west: Party = WEST) -> tuple[World, Site, Site]:
    """Two booted puppets."""
    world = World(seed, make=Puppet, replay="again")
    one = world.site(east.name, plan_of(east, west), ip_address(east.address))
    other = world.site(west.name, plan_of(west, east), ip_address(west.address))
    for site in (one, other):
        site.boot()
    return world, one, other


def puppet(site: Site) -> Puppet:
    assert isinstance(site.gateway, Puppet)
    return site.gateway


def say(site: Site, *outputs: Output) -> None:
    """The puppet says this, now."""
    puppet(site).saying.extend(outputs)
    site.tick()


SUITE = Suite(Protocol.ESP, None, None, None, None)


def child_view(inbound: SaSpec, outbound: SaSpec, state: str = "installed") -> ChildView:
    """What a gateway would say of a pair of SAs."""
    return ChildView(
        name=inbound.child,
        tunnel=inbound.child.partition(":")[0],
        proxy_id="lan",
        peer="peer",
        protocol=inbound.protocol,
        mode=Mode.TUNNEL,
        udp=inbound.udp,
        state=state,
        spi_in=inbound.spi,  # type: ignore[arg-type]
        spi_out=outbound.spi,  # type: ignore[arg-type]
        inbound=inbound.id,
        outbound=outbound.id,
        suite=SUITE,
        local_ts=inbound.local_selectors,
        remote_ts=inbound.remote_selectors,
        replay_window=1024,
        established_at=Instant(0.0),
        rekey_at=None,
        expires_at=None,
    )


def ike_view(site: Site, *children: ChildView, state: str = "established", number: int = 1) -> IkeSaView:
    """What a gateway would say of an IKE SA."""
    peer = next(iter(site.plan.peers.values()))
    return IkeSaView(
        peer=peer.name,
        version=Version.IKEV2,
        role="initiator",
        state=state,
        local=Endpoint(site.address, 500),
        remote=Endpoint(site.address, 500),
        local_id=None,
        remote_id=None,
        initiator_spi=number.to_bytes(8),
        responder_spi=number.to_bytes(8),
        suite=None,
        nat="none",
        established_at=None,
        rekey_at=None,
        reauth_at=None,
        children=children,
    )
