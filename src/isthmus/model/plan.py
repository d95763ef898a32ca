"""The plan: the configuration, compiled. Names resolved, defaults filled in, frozen; it knows no YAML.

The engine, the network and the data plane read it; only `config.compile` writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from operator import attrgetter
from typing import TypeAlias

from isthmus.model.address import Address
from isthmus.model.identity import Identity, Matching
from isthmus.model.proposal import Proposal, Protocol, Suite
from isthmus.model.quantities import InboundSpi, OutboundSpi, Seconds
from isthmus.model.secret import Secret
from isthmus.model.selectors import TrafficSelector

InterfaceAddress: TypeAlias = IPv4Interface | IPv6Interface
Network: TypeAlias = IPv4Network | IPv6Network


class Version(StrEnum):
    IKEV1 = "ikev1"
    IKEV2 = "ikev2"
    IKEV2_PREFERRED = "ikev2-preferred"


class Encapsulation(StrEnum):
    """How ESP leaves us. `auto`: UDP behind NAT and between two Isthmus gateways in user space, else plain ESP."""

    AUTO = "auto"
    UDP = "udp"
    ESP = "esp"


class Start(StrEnum):
    IMMEDIATE = "immediate"
    ON_DEMAND = "on-demand"


class Mode(StrEnum):
    TUNNEL = "tunnel"
    TRANSPORT = "transport"


class WeakAlgorithms(StrEnum):
    """What becomes of algorithms that the RFCs advise against: they work and are named, or they are refused."""

    WARN = "warn"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """`settings:` limits that protect us before a peer has proved anything."""

    cookie_activation_threshold: int = 500
    maximum_half_opened_sa: int = 65535
    maximum_cached_certificates: int = 500


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When an SA is renewed. `soft` is drawn for each SA between 80 and 90 % of these (design, 6)."""

    time: Seconds
    octets: int | None = None
    """Octets either way; None: unlimited."""


@dataclass(frozen=True, slots=True)
class IkeProfile:
    """An IKE crypto profile: what we offer and accept for the IKE SA, in order of preference."""

    name: str
    proposals: tuple[Proposal, ...]
    lifetime: Lifetime
    authentication_multiple: int = 0

    @property
    def authentication_lifetime(self) -> Seconds | None:
        """How long a proof of identity is good; None: as long as the peer stays."""
        return Seconds(self.lifetime.time * self.authentication_multiple) if self.authentication_multiple else None

    """Re-authenticate every lifetime times this; 0: never."""


@dataclass(frozen=True, slots=True)
class IpsecProfile:
    """An IPsec crypto profile. `proposals` carry the key exchange of `dh-group`; none with `no-pfs`."""

    name: str
    proposals: tuple[Proposal, ...]
    lifetime: Lifetime

    @property
    def protocol(self) -> Protocol:
        """ESP or AH, never both."""
        return self.proposals[0].protocol if self.proposals else Protocol.ESP


@dataclass(frozen=True, slots=True)
class FixedPeer:
    address: Address


@dataclass(frozen=True, slots=True)
class NamedPeer:
    """Resolved by DNS, and again as its answer ages."""

    name: str


@dataclass(frozen=True, slots=True)
class DynamicPeer:
    """Any address: the peer begins, and its identity tells who it is."""


PeerAddress: TypeAlias = FixedPeer | NamedPeer | DynamicPeer


@dataclass(frozen=True, slots=True)
class PreSharedKey:
    secret: Secret


@dataclass(frozen=True, slots=True)
class NatTraversal:
    enabled: bool = True
    keep_alive: Seconds = Seconds(20.0)


@dataclass(frozen=True, slots=True)
class Fragmentation:
    """RFC 7383: `size` is the largest IP packet that an IKE message may make."""

    enabled: bool = True
    size: int = 1280


@dataclass(frozen=True, slots=True)
class Liveness:
    enabled: bool = True
    interval: Seconds = Seconds(5.0)


class ExchangeMode(StrEnum):
    """How IKEv1 begins. `auto` begins with main mode and answers both."""

    AUTO = "auto"
    MAIN = "main"
    AGGRESSIVE = "aggressive"


@dataclass(frozen=True, slots=True)
class Dpd:
    """RFC 3706: so many unanswered questions mean that the peer is gone."""

    enabled: bool = True
    interval: Seconds = Seconds(5.0)
    retry: int = 5


@dataclass(frozen=True, slots=True)
class Ikev1Plan:
    """What counts when IKEv1 is spoken with a peer."""

    profile: IkeProfile
    exchange_mode: ExchangeMode = ExchangeMode.AUTO
    dpd: Dpd = Dpd()


class PpkMode(StrEnum):
    PREFERRED = "preferred"
    MANDATORY = "mandatory"


@dataclass(frozen=True, slots=True)
class PostquantumKeys:
    """RFC 8784: pre-shared keys mixed into the key schedule, by their identifier."""

    mode: PpkMode
    keys: Mapping[bytes, Secret]


@dataclass(frozen=True, slots=True)
class PeerPlan:
    """One `ike-gateways` entry: another gateway, and how we are to each other."""

    name: str
    interface: str
    local: Address
    """Our own address towards it."""
    address: PeerAddress
    authentication: PreSharedKey
    local_id: Identity
    peer_id: Identity | None
    """What the peer must claim; None: its address."""
    profile: IkeProfile
    version: Version = Version.IKEV2
    ikev1: Ikev1Plan | None = None
    """Only where IKEv1 may be spoken."""
    matching: Matching = Matching.EXACT
    passive: bool = False
    nat_traversal: NatTraversal = NatTraversal()
    encapsulation: Encapsulation = Encapsulation.AUTO
    fragmentation: Fragmentation = Fragmentation()
    liveness: Liveness = Liveness()
    require_cookie: bool = False
    local_is_interfaces: bool = False
    """`local` is whatever address the interface has: nobody has configured one."""
    ppk: PostquantumKeys | None = None

    def speaks(self, version: Version) -> bool:
        """Whether one of the two versions is spoken with it."""
        return self.version in (version, Version.IKEV2_PREFERRED)


@dataclass(frozen=True, slots=True)
class AntiReplay:
    enabled: bool = True
    window: int = 1024
    """Packets: 64 to 4096, a power of two."""


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """One proxy ID of a tunnel: one Child SA, with its own state and counters."""

    tunnel: str
    proxy_id: str | None
    local: tuple[TrafficSelector, ...]
    remote: tuple[TrafficSelector, ...]

    def __hash__(self) -> int:
        # Equal ones have equal names; the selectors would cost ten times that.
        return hash((self.tunnel, self.proxy_id))

    @property
    def name(self) -> str:
        """`branch:lan`, or `branch` where no proxy ID is configured."""
        return self.tunnel if self.proxy_id is None else f"{self.tunnel}:{self.proxy_id}"


@dataclass(frozen=True, slots=True)
class TunnelPlan:
    """One auto-key `ipsec-tunnels` entry."""

    name: str
    interface: str
    peer: str
    profile: IpsecProfile
    children: tuple[ChildPlan, ...]
    mode: Mode = Mode.TUNNEL
    anti_replay: AntiReplay = AntiReplay()
    copy_tos: bool = False
    start: Start = Start.IMMEDIATE
    enabled: bool = True

    @property
    def travels_in_udp(self) -> bool:
        """Whether UDP may carry it: AH covers what a NAT changes, and transport mode keeps to its addresses."""
        return self.mode is Mode.TUNNEL and self.profile.protocol == Protocol.ESP


@dataclass(frozen=True, slots=True)
class ManualPlan:
    """One manual-key `ipsec-tunnels` entry: an SA pair without IKE."""

    name: str
    interface: str
    outer: str
    """The interface of the host that faces the peer."""
    local: Address
    remote: Address
    spi_in: InboundSpi
    spi_out: OutboundSpi
    suite: Suite
    encryption_key: Secret
    integrity_key: Secret
    """The same in both directions."""
    selectors: tuple[tuple[TrafficSelector, ...], tuple[TrafficSelector, ...]]
    """Local and remote."""
    mode: Mode = Mode.TUNNEL
    replay_window: int = 0
    """Packets; 0: no anti-replay, as nobody agrees on new numbers (RFC 4303, 2.2)."""
    copy_tos: bool = False
    local_is_interfaces: bool = False
    """`local` is whatever address the interface has: nobody has configured one."""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class InterfacePlan:
    """A tunnel interface that we make, or an interface of the host that we only name."""

    name: str
    zone: str | None
    virtual_router: str | None
    addresses: tuple[InterfaceAddress, ...] = ()
    mtu: int | None = None
    """None: computed from the path and the suite."""

    @property
    def is_tunnel(self) -> bool:
        return self.name.startswith("tunnel.")


@dataclass(frozen=True, slots=True)
class RoutePlan:
    name: str
    virtual_router: str
    destination: Network
    interface: str
    metric: int = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it."""

    settings: SessionSettings = SessionSettings()
    interfaces: Mapping[str, InterfacePlan] = field(default_factory=dict)
    routes: tuple[RoutePlan, ...] = ()
    peers: Mapping[str, PeerPlan] = field(default_factory=dict)
    tunnels: Mapping[str, TunnelPlan] = field(default_factory=dict)
    manual: Mapping[str, ManualPlan] = field(default_factory=dict)
    """The tunnels that no peer keys."""
    _of_peer: Mapping[str, tuple[TunnelPlan, ...]] = field(init=False, repr=False, compare=False)
    _at: Mapping[str, tuple[TunnelPlan, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_of_peer", _grouped(self.tunnels.values(), attrgetter("peer")))
        object.__setattr__(self, "_at", _grouped(self.tunnels.values(), attrgetter("interface")))

    @property
    def listening(self) -> Mapping[Address, str | None]:
        """Our addresses, and the interface of the host to which one is bound.

        In transport mode a route leads to the peer itself, into the tunnel interface: what is sealed, and IKE, must not
        follow it.
        """
        faced = [(p.local, p.interface, self._host_to_host(p.name)) for p in self.peers.values()]
        faced += [(m.local, m.outer, m.mode is Mode.TRANSPORT) for m in self.manual.values() if m.enabled]
        found: dict[Address, str | None] = {}
        for address, interface, bound in faced:
            found[address] = interface if bound else found.get(address)
        return found

    def _host_to_host(self, peer: str) -> bool:
        return any(tunnel.mode is Mode.TRANSPORT for tunnel in self.tunnels_of(peer))

    def tunnels_of(self, peer: str) -> tuple[TunnelPlan, ...]:
        return self._of_peer.get(peer, ())

    def tunnels_at(self, interface: str) -> tuple[TunnelPlan, ...]:
        return self._at.get(interface, ())

    def child(self, name: str) -> tuple[TunnelPlan, ChildPlan] | None:
        """The tunnel and the proxy ID behind a Child SA's name."""
        tunnel = self.tunnels.get(name.partition(":")[0])
        for child in tunnel.children if tunnel else ():
            if child.name == name and tunnel:
                return tunnel, child
        return None


def _grouped(tunnels: Iterable[TunnelPlan], key: Callable[[TunnelPlan], str]) -> Mapping[str, tuple[TunnelPlan, ...]]:
    groups: dict[str, list[TunnelPlan]] = {}
    for tunnel in tunnels:
        groups.setdefault(key(tunnel), []).append(tunnel)
    return {name: tuple(group) for name, group in groups.items()}
