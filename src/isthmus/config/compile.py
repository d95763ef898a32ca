"""A valid document to the plan: names resolved, defaults filled in, nothing left to look up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import TypeAlias

from isthmus.config.load import Document
from isthmus.config.problems import NO_ADDRESS, Problem, Problems
from isthmus.config.profiles import built_in_ike, built_in_ipsec
from isthmus.config.proposals import ike_proposals, ipsec_proposals
from isthmus.config.schema.gateways import IkeGateway
from isthmus.config.schema.tunnels import IpsecTunnel, ManualKey
from isthmus.config.selectors import selectors_of
from isthmus.config.tree import Places
from isthmus.model.address import Address
from isthmus.model.algorithms import ENCRYPTION_BY_NAME, INTEGRITY_BY_NAME
from isthmus.model.identity import Identity, Matching
from isthmus.model.plan import (
    AntiReplay,
    ChildPlan,
    Dpd,
    ExchangeMode,
    FixedPeer,
    Fragmentation,
    IkeProfile,
    Ikev1Plan,
    InterfacePlan,
    IpsecProfile,
    Lifetime,
    Liveness,
    ManualPlan,
    Mode,
    NatTraversal,
    PeerPlan,
    Plan,
    PostquantumKeys,
    PreSharedKey,
    RoutePlan,
    SessionSettings,
    TunnelPlan,
    Version,
    WeakAlgorithms,
)
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.quantities import InboundSpi, OutboundSpi
from isthmus.model.secret import Secret
from isthmus.model.selectors import ANY_IPV4, ANY_IPV6, TrafficSelector

HostAddresses: TypeAlias = Callable[[str], tuple[Address, ...]]
"""The addresses of an interface of the host, its first ones first; none where it has none, or is not there."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """The plan, or why there is none; in both cases what `check` would say."""

    plan: Plan | None
    problems: tuple[Problem, ...]
    places: Places


def compile(document: Document, host: HostAddresses | None = None) -> Compiled:  # noqa: A001
    """Without a host, a gateway that leaves out its local address gets 0.0.0.0 or ::, to look at and not to run."""
    if not document.valid:
        return Compiled(None, document.problems, document.places)
    compiler = _Compiler(document, host)
    plan = compiler.plan()
    if compiler.problems.sorted():
        problems = sorted((*document.problems, *compiler.problems.sorted()), key=lambda p: p.place)
        return Compiled(None, tuple(problems), document.places)
    return Compiled(plan, document.problems, document.places)


class _Compiler:
    def __init__(self, document: Document, host: HostAddresses | None) -> None:
        self._document = document
        self._configuration = document.configuration
        self._host = host
        self.problems = Problems()
        # Thousands of gateways share a profile: they share what it compiles to.
        self._ike_profile = cache(self._compiled_ike)
        self._ipsec_profile = cache(self._compiled_ipsec)

    def plan(self) -> Plan:
        configuration = self._configuration
        settings = configuration.settings
        return Plan(
            settings=SessionSettings(
                settings.cookie_activation_threshold,
                settings.maximum_half_opened_sa,
                settings.maximum_cached_certificates,
            ),
            interfaces=MappingProxyType(
                {
                    name: InterfacePlan(name, i.zone, i.virtual_router, i.address, i.mtu)
                    for name, i in configuration.interfaces.items()
                }
            ),
            routes=tuple(
                RoutePlan(name, router, route.destination, route.interface, route.metric)
                for router, table in configuration.virtual_routers.items()
                for name, route in table.static_routes.items()
            ),
            peers=MappingProxyType({name: self._peer(name, g) for name, g in configuration.ike_gateways.items()}),
            tunnels=MappingProxyType(
                {
                    name: self._tunnel(name, tunnel, tunnel.ike_gateway)
                    for name, tunnel in configuration.ipsec_tunnels.items()
                    if tunnel.ike_gateway is not None
                }
            ),
            manual=MappingProxyType(
                {
                    name: self._manual(name, tunnel, tunnel.manual_key)
                    for name, tunnel in configuration.ipsec_tunnels.items()
                    if tunnel.manual_key is not None
                }
            ),
        )

    def _peer(self, name: str, gateway: IkeGateway) -> PeerPlan:
        families = (gateway.peer_address.address.version,) if isinstance(gateway.peer_address, FixedPeer) else (4, 6)
        place = ("ike-gateways", name, "interface")
        local = gateway.local_address or self._local_address(gateway.interface, families, place)
        ikev2 = gateway.ikev2
        return PeerPlan(
            name=name,
            interface=gateway.interface,
            local=local,
            address=gateway.peer_address,
            authentication=PreSharedKey(
                self._document.secrets["ike-gateways", name, "authentication", "pre-shared-key"]
            ),
            local_id=gateway.local_id.identity if gateway.local_id else Identity.of_address(local),
            peer_id=gateway.peer_id.identity if gateway.peer_id else None,
            profile=self._ike_profile(ikev2.ike_crypto_profile),
            version=gateway.version,
            ikev1=self._ikev1(gateway),
            matching=gateway.peer_id.matching if gateway.peer_id else Matching.EXACT,
            passive=gateway.passive,
            nat_traversal=NatTraversal(gateway.nat_traversal.enabled, gateway.nat_traversal.keep_alive),
            encapsulation=gateway.encapsulation,
            fragmentation=Fragmentation(gateway.fragmentation.enabled, gateway.fragmentation.size),
            liveness=Liveness(ikev2.liveness.enabled, ikev2.liveness.interval),
            require_cookie=ikev2.require_cookie,
            local_is_interfaces=gateway.local_address is None,
            ppk=self._ppk(name, gateway),
        )

    def _ikev1(self, gateway: IkeGateway) -> Ikev1Plan | None:
        if gateway.version is Version.IKEV2:
            return None
        ikev1, dpd = gateway.ikev1, gateway.ikev1.dpd
        profile = self._ike_profile(ikev1.ike_crypto_profile)
        mode = ikev1.exchange_mode
        if mode is ExchangeMode.AUTO and self._configuration.settings.weak_algorithms is WeakAlgorithms.REFUSE:
            mode = ExchangeMode.MAIN  # aggressive mode with a pre-shared key is not answered either
        return Ikev1Plan(profile, mode, Dpd(dpd.enabled, dpd.interval, dpd.retry))

    def _ppk(self, name: str, gateway: IkeGateway) -> PostquantumKeys | None:
        if gateway.ppk is None:
            return None
        secrets = self._document.secrets
        keys = {key.encode(): secrets["ike-gateways", name, "ppk", "keys", key] for key in gateway.ppk.keys}
        return PostquantumKeys(gateway.ppk.mode, MappingProxyType(keys))

    def _local_address(self, interface: str, families: tuple[int, ...], place: tuple[str, ...]) -> Address:
        """The interface's first of the peer's family; of IPv4 rather than IPv6 where the peer's is not known."""
        unknown: Address = IPv6Address(0) if families == (6,) else IPv4Address(0)
        if self._host is None:
            return unknown
        addresses = self._host(interface)
        for family in families:
            # A link-local address means nothing to a peer that is routed to (RFC 4291, 2.5.6).
            routable = [a for a in addresses if a.version == family and not a.is_link_local]
            if routable:
                return routable[0]
        kind = f"IPv{families[0]} " if len(families) == 1 else ""
        text = f"{interface} has no {kind}address on this host; write its local-address"
        self.problems.add(NO_ADDRESS, self._document.places.value(*place), text)
        return unknown

    def _tunnel(self, name: str, tunnel: IpsecTunnel, peer: str) -> TunnelPlan:
        local, remote = self._ends(tunnel, peer)
        children = [ChildPlan(name, None, (local,), (remote,))] if not tunnel.proxy_ids else []
        for proxy_name, proxy in tunnel.proxy_ids.items():
            local, remote = selectors_of(proxy)
            children.append(ChildPlan(name, proxy_name, (local,), (remote,)))
        return TunnelPlan(
            name=name,
            interface=tunnel.tunnel_interface,
            peer=peer,
            profile=self._ipsec_profile(tunnel.ipsec_crypto_profile),
            children=tuple(children),
            mode=tunnel.mode,
            anti_replay=AntiReplay(tunnel.anti_replay.enabled, tunnel.anti_replay.window),
            copy_tos=tunnel.copy_tos,
            start=tunnel.start,
            enabled=not tunnel.disabled,
        )

    def _ends(self, tunnel: IpsecTunnel, peer: str) -> tuple[TrafficSelector, TrafficSelector]:
        """What is protected where no proxy ID says it: everything of IPv4, or what the two gateways say themselves."""
        gateway = self._configuration.ike_gateways[peer]
        if tunnel.mode is Mode.TUNNEL or gateway.local_address is None:
            return ANY_IPV4, ANY_IPV4
        if not isinstance(gateway.peer_address, FixedPeer):
            return ANY_IPV4, ANY_IPV4
        remote = gateway.peer_address.address
        return TrafficSelector.of_host(gateway.local_address), TrafficSelector.of_host(remote)

    def _manual(self, name: str, tunnel: IpsecTunnel, manual: ManualKey) -> ManualPlan:
        path = ("ipsec-tunnels", name, "manual-key")
        remote = manual.peer_address
        local = manual.local_address or self._local_address(manual.interface, (remote.version,), (*path, "interface"))
        esp, ah = manual.esp, manual.ah
        cipher = ENCRYPTION_BY_NAME[esp.encryption.algorithm] if esp else None
        signed = esp.authentication if esp else ah.authentication if ah else None
        integrity = INTEGRITY_BY_NAME[signed.algorithm] if signed else None
        protocol, word = (Protocol.ESP, "esp") if esp else (Protocol.AH, "ah")
        everything = (ANY_IPV4, ANY_IPV6)
        hosts = (TrafficSelector.of_host(local),), (TrafficSelector.of_host(remote),)
        secrets, nothing = self._document.secrets, Secret(b"")
        # RFC 4303, 2.2: nothing renews the numbers, so that a window is only for those who ask for one.
        asked = "anti_replay" in tunnel.model_fields_set and tunnel.anti_replay.enabled
        return ManualPlan(
            name=name,
            interface=tunnel.tunnel_interface,
            outer=manual.interface,
            local=local,
            remote=remote,
            spi_in=InboundSpi(manual.remote_spi),
            spi_out=OutboundSpi(manual.local_spi),
            suite=Suite(protocol, cipher, integrity, None, None),
            encryption_key=secrets.get((*path, "esp", "encryption", "key"), nothing),
            integrity_key=secrets.get((*path, word, "authentication", "key"), nothing),
            selectors=hosts if tunnel.mode is Mode.TRANSPORT else (everything, everything),
            mode=tunnel.mode,
            replay_window=tunnel.anti_replay.window if asked else 0,
            copy_tos=tunnel.copy_tos,
            local_is_interfaces=manual.local_address is None,
            enabled=not tunnel.disabled,
        )

    def _compiled_ike(self, name: str) -> IkeProfile:
        profile = self._configuration.ike_crypto_profiles.get(name) or built_in_ike()[name]
        return IkeProfile(name, ike_proposals(profile), Lifetime(profile.lifetime), profile.authentication_multiple)

    def _compiled_ipsec(self, name: str) -> IpsecProfile:
        profile = self._configuration.ipsec_crypto_profiles.get(name) or built_in_ipsec()[name]
        return IpsecProfile(name, ipsec_proposals(profile), Lifetime(profile.lifetime, profile.lifesize))
