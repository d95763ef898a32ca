"""A gateway of two sites that does what a test tells it to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from isthmus.engine.commands import Apply, Command
from isthmus.engine.views import ChildView, IkeSaView, TunnelView
from isthmus.events.event import Event
from isthmus.model import algorithms
from isthmus.model.address import Endpoint
from isthmus.model.identity import Identity
from isthmus.model.plan import (
    ChildPlan,
    DynamicPeer,
    FixedPeer,
    IkeProfile,
    InterfacePlan,
    IpsecProfile,
    Lifetime,
    Mode,
    PeerPlan,
    Plan,
    PreSharedKey,
    TunnelPlan,
    Version,
)
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.quantities import InboundSpi, Instant, OutboundSpi, Seconds
from isthmus.model.sa_spec import Direction, SaCounters, SaId
from isthmus.model.secret import Secret
from isthmus.model.selectors import TrafficSelector
from isthmus.observe.journal import Journal
from isthmus.observe.traffic import TrafficTotals
from isthmus.status.moment import Moment

NOW = Instant(1000.0)
WALL = 1_800_000_000.0
"""2027-01-15T08:00:00Z."""

HERE = IPv4Address("192.0.2.1")
THERE = IPv4Address("198.51.100.2")
PSK = Secret(b"not to be seen")
LAN = TrafficSelector.of_network(IPv4Network("10.1.0.0/16"))
FAR = TrafficSelector.of_network(IPv4Network("10.2.0.0/16"))
WEB = TrafficSelector.of_network(IPv4Network("10.9.0.0/24"), 6, (443, 443))

AEAD = Suite(
    Protocol.ESP, algorithms.ENCRYPTION_BY_NAME["aes-256-gcm"], None, None, algorithms.KEY_EXCHANGE_BY_NAME["group20"]
)
CLASSIC = Suite(
    Protocol.IKE,
    algorithms.ENCRYPTION_BY_NAME["aes-128-cbc"],
    algorithms.INTEGRITY_BY_NAME["sha1"],
    algorithms.PRF_BY_NAME["sha256"],
    algorithms.KEY_EXCHANGE_BY_NAME["group14"],
)


def moment() -> Moment:
    return Moment(NOW, WALL)


def two_sites() -> Plan:
    """`branch` with proxy IDs lan and web; `roamer`, whose address is not known, with a whole tunnel."""
    ike = IkeProfile("strong", (), Lifetime(Seconds(28800)))
    esp = IpsecProfile("strong", (), Lifetime(Seconds(3600)))
    local_id = Identity.fqdn("hq.example")
    return Plan(
        interfaces={
            "tunnel.1": InterfacePlan("tunnel.1", "vpn", "default"),
            "tunnel.2": InterfacePlan("tunnel.2", None, None),
        },
        peers={
            "branch": PeerPlan(
                "branch",
                "eth0",
                HERE,
                FixedPeer(THERE),
                PreSharedKey(PSK),
                local_id,
                Identity.fqdn("branch.example"),
                ike,
            ),
            "roamer": PeerPlan(
                "roamer", "eth0", HERE, DynamicPeer(), PreSharedKey(PSK), local_id, None, ike, passive=True
            ),
        },
        tunnels={
            "branch": TunnelPlan(
                "branch",
                "tunnel.1",
                "branch",
                esp,
                (ChildPlan("branch", "lan", (LAN,), (FAR,)), ChildPlan("branch", "web", (LAN,), (WEB,))),
            ),
            "road": TunnelPlan("road", "tunnel.2", "roamer", esp, (ChildPlan("road", None, (LAN,), (FAR,)),)),
        },
    )


def child_view(name: str = "branch:lan", spi: int = 0xC94D2F01) -> ChildView:
    tunnel, _, proxy_id = name.partition(":")
    return ChildView(
        name=name,
        tunnel=tunnel,
        proxy_id=proxy_id or None,
        peer="branch",
        protocol=Protocol.ESP,
        mode=Mode.TUNNEL,
        udp=True,
        state="installed",
        spi_in=InboundSpi(spi),
        spi_out=OutboundSpi(0x01A3B9D2),
        inbound=SaId(Direction.INBOUND, spi, str(THERE)),
        outbound=SaId(Direction.OUTBOUND, 0x01A3B9D2, str(THERE)),
        suite=AEAD,
        local_ts=(LAN,),
        remote_ts=(FAR, WEB),
        replay_window=1024,
        established_at=Instant(NOW - 60.0),
        rekey_at=Instant(NOW + 3000.4),
        expires_at=Instant(NOW + 3540.0),
    )


def ike_view(*children: ChildView, state: str = "established", peer: str | None = "branch") -> IkeSaView:
    up = state != "connecting"
    return IkeSaView(
        peer=peer,
        version=Version.IKEV2,
        role="initiator",
        state=state,
        local=Endpoint(HERE, 4500),
        remote=Endpoint(THERE, 4500),
        local_id="fqdn:hq.example",
        remote_id="fqdn:branch.example" if up else None,
        initiator_spi=bytes(range(1, 9)),
        responder_spi=bytes(range(9, 17)) if up else bytes(8),
        suite=CLASSIC if up else None,
        nat="local",
        established_at=Instant(NOW - 60.0) if up else None,
        rekey_at=Instant(NOW + 25000.0) if up else None,
        reauth_at=None,
        children=children,
    )


@dataclass(slots=True)
class FakeGateway:
    plan: Plan
    ikes: tuple[IkeSaView, ...] = ()
    why: dict[str, str] = field(default_factory=dict)
    half_open: int = 0
    key_exchanges_answered: int = 0

    def child_sas(self) -> tuple[ChildView, ...]:
        return tuple(child for ike in self.ike_sas() for child in ike.children)

    def ike_sas(self) -> tuple[IkeSaView, ...]:
        return self.ikes

    def tunnels(self) -> tuple[TunnelView, ...]:
        up = {child.name for ike in self.ikes for child in ike.children}
        return tuple(
            TunnelView(
                child.name,
                child.tunnel,
                child.proxy_id,
                tunnel.interface,
                tunnel.peer,
                "up" if child.name in up else "down",
                None if child.name in up else self.why.get(child.name, "not begun"),
            )
            for tunnel in self.plan.tunnels.values()
            for child in tunnel.children
        )


@dataclass(slots=True)
class FakePlane:
    seen: dict[SaId, SaCounters] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    traffic: TrafficTotals = field(init=False)

    def __post_init__(self) -> None:
        self.traffic = TrafficTotals(self.counters)

    def counters(self, sa: SaId) -> SaCounters:
        return self.seen.get(sa, SaCounters())

    def drops(self) -> dict[str, int]:
        return dict(self.dropped)


class FakeDaemon:
    """`answers` maps a command to the events that follow it at once."""

    def __init__(self, *ikes: IkeSaView) -> None:
        self.plan = two_sites()
        self.gateway = FakeGateway(self.plan, ikes)
        self.plane = FakePlane()
        self.journal = Journal(lambda: WALL)
        self.commands: list[Command] = []
        self.answers: dict[Command, tuple[Event, ...]] = {}
        self.listeners: list[Callable[[Event], None]] = [self.journal.record]

    def command(self, command: Command) -> None:
        self.commands.append(command)
        if isinstance(command, Apply):
            self.plan = self.gateway.plan = command.plan
            return
        for event in self.answers.get(command, ()):
            self.happen(event)

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def happen(self, event: Event) -> None:
        for listener in tuple(self.listeners):
            listener(event)


def carrying(child: ChildView, *, inbound: SaCounters, outbound: SaCounters) -> dict[SaId, SaCounters]:
    return {child.inbound: inbound, child.outbound: outbound}
