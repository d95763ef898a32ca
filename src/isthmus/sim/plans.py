"""Plans written in code, so that a scenario reads like a story: parties, and what each thinks was agreed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from ipaddress import ip_address, ip_network

from isthmus.dataplane.memory import Packet
from isthmus.model import algorithms
from isthmus.model.address import Address
from isthmus.model.identity import Identity
from isthmus.model.plan import (
    AntiReplay,
    ChildPlan,
    Dpd,
    DynamicPeer,
    Encapsulation,
    ExchangeMode,
    FixedPeer,
    Fragmentation,
    IkeProfile,
    Ikev1Plan,
    InterfacePlan,
    IpsecProfile,
    Lifetime,
    Liveness,
    Mode,
    NamedPeer,
    NatTraversal,
    PeerAddress,
    PeerPlan,
    Plan,
    PostquantumKeys,
    PreSharedKey,
    SessionSettings,
    Start,
    TunnelPlan,
    Version,
)
from isthmus.model.proposal import Proposal, Protocol, Transform, TransformType
from isthmus.model.quantities import Seconds
from isthmus.model.secret import Secret
from isthmus.model.selectors import TrafficSelector
from isthmus.sim.nat import Nat
from isthmus.sim.site import Site
from isthmus.sim.world import World

HOUR = Seconds(3600.0)


@dataclass(frozen=True, slots=True)
class ProxyId:
    """One pair of networks as a party writes it down."""

    name: str
    local: str
    remote: str
    protocol: int = 0

    @property
    def mirrored(self) -> ProxyId:
        """As the other party must write it to agree."""
        return replace(self, local=self.remote, remote=self.local)


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a tunnel, and its side of the agreement. Defaults of two parties agree with each other."""

    name: str
    address: str
    proxy_ids: tuple[ProxyId, ...]
    psk: bytes = b"as long as two people can remember"
    ike: tuple[str, ...] = ("aes-128-gcm/sha256/group31",)
    """Proposals: encryption, integrity where it is no AEAD, PRF, then groups, as the configuration spells them."""
    esp: tuple[str, ...] = ("aes-128-gcm",)
    """Proposals: encryption (`ah`: none), integrity where it is no AEAD, then `esn`, then groups for fresh keys."""
    mode: Mode = Mode.TUNNEL
    ike_lifetime: Seconds = Seconds(8 * HOUR)
    child_lifetime: Seconds = HOUR
    child_octets: int | None = None
    passive: bool = False
    start: Start = Start.IMMEDIATE
    liveness: Liveness = field(default_factory=Liveness)
    nat_traversal: NatTraversal = field(default_factory=NatTraversal)
    encapsulation: Encapsulation = Encapsulation.AUTO
    fragmentation: Fragmentation = field(default_factory=Fragmentation)
    require_cookie: bool = False
    ppk: PostquantumKeys | None = None
    version: Version | None = None
    """None: what the world speaks that it lives in."""
    exchange_mode: ExchangeMode = ExchangeMode.AUTO
    dpd: Dpd = field(default_factory=Dpd)
    authentication_multiple: int = 0
    settings: SessionSettings = field(default_factory=SessionSettings)
    anti_replay: AntiReplay = field(default_factory=AntiReplay)
    identity: str | None = None
    """FQDN; None: the name's."""
    looks_for: str | None = None
    """FQDN that it demands of the other; None: the other's own."""
    knows: str | None = None
    """Where it believes the other to be: an address, a DNS name or `dynamic`; None: where it is."""

    @property
    def fqdn(self) -> str:
        return self.identity or f"{self.name}.example"


EAST = Party("east", "192.0.2.1", (ProxyId("lan", "10.1.0.0/16", "10.2.0.0/16"),))
"""Begins, unless a story says otherwise."""

WEST = Party("west", "198.51.100.2", (EAST.proxy_ids[0].mirrored,), passive=True)
"""Waits to be called."""


def speaking(party: Party, version: Version) -> Party:
    """What it would have written down for that version of IKE, if it has not chosen one itself."""
    if party.version is not None:
        return party
    if version is not Version.IKEV1:
        return replace(party, version=version)
    return replace(
        party,
        version=version,
        ike=tuple(_older_ike(text) for text in party.ike),
        esp=tuple(_older_groups(text) for text in party.esp),
        dpd=replace(party.dpd, enabled=party.liveness.enabled, interval=party.liveness.interval),
    )


def plan_of(here: Party, there: Party) -> Plan:
    """What one party's configuration compiles to. The peer and the tunnel are named after the other party."""
    profile = IkeProfile(
        "ike",
        tuple(ike_proposal(text) for text in here.ike),
        Lifetime(here.ike_lifetime),
        here.authentication_multiple,
    )
    peer = PeerPlan(
        name=there.name,
        interface="eth0",
        local=ip_address(here.address),
        address=_whereabouts(here.knows or there.address),
        authentication=PreSharedKey(Secret(here.psk)),
        local_id=Identity.fqdn(here.fqdn),
        peer_id=Identity.fqdn(here.looks_for or there.fqdn),
        profile=profile,
        passive=here.passive,
        nat_traversal=here.nat_traversal,
        encapsulation=here.encapsulation,
        fragmentation=here.fragmentation,
        liveness=here.liveness,
        require_cookie=here.require_cookie,
        ppk=here.ppk,
        version=here.version or Version.IKEV2,
        ikev1=Ikev1Plan(profile, here.exchange_mode, here.dpd),
    )
    tunnel = TunnelPlan(
        name=there.name,
        interface="tunnel.1",
        peer=there.name,
        profile=IpsecProfile(
            "esp", tuple(esp_proposal(text) for text in here.esp), Lifetime(here.child_lifetime, here.child_octets)
        ),
        children=tuple(_child(there.name, proxy) for proxy in here.proxy_ids),
        mode=here.mode,
        anti_replay=here.anti_replay,
        start=here.start,
    )
    interfaces = {
        "eth0": InterfacePlan("eth0", "untrust", "default"),
        "tunnel.1": InterfacePlan("tunnel.1", "vpn", "default"),
    }
    return Plan(here.settings, interfaces, (), {peer.name: peer}, {tunnel.name: tunnel})


def merged(one: Plan, other: Plan) -> Plan:
    """A hub's plan: the peers and tunnels of both, each tunnel with an interface of its own."""
    tunnels = {**one.tunnels, **other.tunnels}
    apart = {t.name: replace(t, interface=f"tunnel.{n}") for n, t in enumerate(tunnels.values(), 1)}
    interfaces = {t.interface: InterfacePlan(t.interface, "vpn", "default") for t in apart.values()}
    return replace(one, interfaces={**one.interfaces, **interfaces}, peers={**one.peers, **other.peers}, tunnels=apart)


def join(world: World, east: Party = EAST, west: Party = WEST) -> tuple[Site, Site]:
    """Two sites, each with its own view of the agreement."""
    return site_of(world, east, west), site_of(world, west, east)


def site_of(world: World, here: Party, there: Party, behind: Nat | None = None) -> Site:
    """One of them, in the version that the world speaks."""
    plan = plan_of(speaking(here, world.version), there)
    return world.site(here.name, plan, ip_address(here.address), behind=behind)


def child_names(site: Site) -> tuple[str, ...]:
    """All configured children of a site."""
    return tuple(child.name for tunnel in site.plan.tunnels.values() for child in tunnel.children)


def packet_for(proxy: ProxyId, number: int = 0) -> Packet:
    """A packet that the proxy ID protects, from its first host on the local side."""
    source, destination = (
        network[1 + number] if network.num_addresses > 1 else network[0]
        for network in (ip_network(proxy.local), ip_network(proxy.remote))
    )
    return Packet(source, destination, protocol=proxy.protocol or 17)


@cache
def ike_proposal(text: str) -> Proposal:
    """`aes-128-gcm/sha256/group31`, `aes-256-cbc/sha256/sha256/group14`."""
    encryption, *rest = text.split("/")
    row = algorithms.ENCRYPTION_BY_NAME[encryption]
    transforms = [Transform(TransformType.ENCR, row.ikev2, row.key_bits)]
    if not row.aead:
        transforms.append(Transform(TransformType.INTEG, algorithms.INTEGRITY_BY_NAME[rest.pop(0)].ikev2))
    transforms.append(Transform(TransformType.PRF, algorithms.PRF_BY_NAME[rest.pop(0)].ikev2))
    return Proposal(Protocol.IKE, (*transforms, *_groups(rest)))


@cache
def esp_proposal(text: str) -> Proposal:
    """`aes-128-gcm`, `aes-256-cbc/sha256/group14`, `aes-128-gcm/esn`, `3des/none`, `ah/sha256`."""
    encryption, *rest = text.split("/")
    row = algorithms.ENCRYPTION_BY_NAME.get(encryption)
    transforms = [Transform(TransformType.ENCR, row.ikev2, row.key_bits)] if row else []
    if row is None or not row.aead:
        integrity = rest.pop(0)
        if integrity != "none":
            transforms.append(Transform(TransformType.INTEG, algorithms.INTEGRITY_BY_NAME[integrity].ikev2))
    numbers = 1 if "esn" in rest else 0
    groups = _groups(name for name in rest if name != "esn")
    protocol = Protocol.ESP if row else Protocol.AH
    return Proposal(protocol, (*transforms, *groups, Transform(TransformType.SN, numbers)))


def _older_ike(text: str) -> str:
    """The like of a proposal that version 1 has numbers for: no AEAD protects it, and it knows no Montgomery curves."""
    encryption, *rest = text.split("/")
    row = algorithms.ENCRYPTION_BY_NAME[encryption]
    if row.aead:
        encryption, rest = f"aes-{row.key_bits}-cbc", [rest[0], *rest]
    return _older_groups("/".join((encryption, *rest)))


def _older_groups(text: str) -> str:
    return text.replace("group31", "group19").replace("group32", "group20")


def _groups(names: Iterable[str]) -> Iterator[Transform]:
    """`group31`, and after it each additional key exchange with a plus sign: `+ml-kem-768,none`."""
    rounds = itertools.count(TransformType.ADDKE1)
    for name in names:
        kind = TransformType(next(rounds)) if name.startswith("+") else TransformType.KE
        for method in name.removeprefix("+").split(","):
            yield Transform(kind, 0 if method == "none" else algorithms.KEY_EXCHANGE_BY_NAME[method].ikev2)


def _child(tunnel: str, proxy: ProxyId) -> ChildPlan:
    local = TrafficSelector.of_network(ip_network(proxy.local), proxy.protocol)
    remote = TrafficSelector.of_network(ip_network(proxy.remote), proxy.protocol)
    return ChildPlan(tunnel, proxy.name, (local,), (remote,))


def _whereabouts(text: str) -> PeerAddress:
    if text == "dynamic":
        return DynamicPeer()
    try:
        address: Address = ip_address(text)
    except ValueError:
        return NamedPeer(text)
    return FixedPeer(address)
