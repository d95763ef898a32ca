"""Rules about how traffic is protected: AH, transport mode, keys by hand."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.config.problems import CONFLICT, DUPLICATE, FAMILY_MISMATCH, MANUAL_KEY
from isthmus.config.rules.scope import Scope
from isthmus.config.schema.gateways import IkeGateway
from isthmus.config.schema.tunnels import IpsecTunnel, ManualKey
from isthmus.config.selectors import selectors_of
from isthmus.config.tree import Path
from isthmus.model.address import Address
from isthmus.model.plan import Encapsulation, FixedPeer, Mode, Start


def transport_mode_is_between_the_gateways(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        if tunnel.mode is not Mode.TRANSPORT:
            continue
        local, remote = _ends(scope, tunnel)
        for missing, option in ((local, "local-address"), (remote, "peer-address")):
            if missing is None and (tunnel.manual_key is not None or tunnel.ike_gateway in _gateways(scope)):
                text = f"transport mode is between two addresses, so the {option} must be written as one"
                scope.at_value(CONFLICT, ("ipsec-tunnels", name, "mode"), text)
        for proxy, given in tunnel.proxy_ids.items():
            sides = zip(("local", "remote"), (local, remote), selectors_of(given), strict=True)
            for option, address, selector in sides:
                if address is not None and (selector.start, selector.end) != (address, address):
                    text = f"transport mode is between the gateways themselves: {option} can only be {address}"
                    scope.at_value(CONFLICT, ("ipsec-tunnels", name, "proxy-ids", proxy, option), text)


def a_local_address_of_transport_mode_has_one_interface(scope: Scope) -> None:
    """What is sent from there must find its way past the tunnel interface: by the interface that faces the peer."""
    faced: dict[Address, set[str]] = {}
    for gateway in scope.configuration.ike_gateways.values():
        if gateway.local_address is not None:
            faced.setdefault(gateway.local_address, set()).add(gateway.interface)
    for manual in _manual_keys(scope):
        if manual.local_address is not None:
            faced.setdefault(manual.local_address, set()).add(manual.interface)
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        local, _ = _ends(scope, tunnel)
        if tunnel.mode is Mode.TRANSPORT and local is not None and len(faced.get(local, ())) > 1:
            text = f"{local} faces peers through {' and '.join(sorted(faced[local]))}: transport mode needs one of them"
            scope.at_value(CONFLICT, ("ipsec-tunnels", name, "mode"), text)


def udp_carries_esp_in_tunnel_mode(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        gateway = _gateways(scope).get(tunnel.ike_gateway or "")
        profile = scope.ipsec_profile(tunnel.ipsec_crypto_profile)
        if gateway is None or profile is None or gateway.encapsulation is not Encapsulation.UDP:
            continue
        what = "AH" if profile.ah is not None else "transport mode" if tunnel.mode is Mode.TRANSPORT else None
        if what is not None:
            option = "ipsec-crypto-profile" if profile.ah is not None else "mode"
            text = f"{what} does not travel in UDP (RFC 3715, 2.1), and {tunnel.ike_gateway} has encapsulation: udp"
            scope.at_value(CONFLICT, ("ipsec-tunnels", name, option), text)


def keys_by_hand_stand_alone(scope: Scope) -> None:
    """There is one SA pair, and nobody to negotiate with."""
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        if tunnel.manual_key is None:
            continue
        path = ("ipsec-tunnels", name)
        for option, used in (
            ("ipsec-crypto-profile", scope.places.has(*path, "ipsec-crypto-profile")),
            ("proxy-ids", bool(tunnel.proxy_ids)),
            ("start", tunnel.start is Start.ON_DEMAND),
        ):
            if used:
                scope.at_key(CONFLICT, (*path, option), f"{option} is negotiated, and manual-key leaves nothing to it")
        local, peer = tunnel.manual_key.local_address, tunnel.manual_key.peer_address
        if local is not None and local.version != peer.version:
            text = f"{peer} is IPv{peer.version}, but local-address is IPv{local.version}"
            scope.at_value(FAMILY_MISMATCH, (*path, "manual-key", "peer-address"), text)


def spis_of_manual_keys_differ(scope: Scope) -> None:
    inbound: dict[object, str] = {}
    outbound: dict[object, str] = {}
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        manual = tunnel.manual_key
        if manual is None:
            continue
        protocol = "ah" if manual.ah is not None else "esp"
        keys = (
            ("remote-spi", inbound, manual.remote_spi),
            ("local-spi", outbound, (manual.local_spi, protocol, manual.peer_address)),
        )
        for option, seen, key in keys:
            other = seen.setdefault(key, name)
            if other != name:
                path = ("ipsec-tunnels", name, "manual-key", option)
                scope.at_value(DUPLICATE, path, f"this is the {option} of {other} already")


def keys_by_hand_are_said_to_be(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        if tunnel.manual_key is None:
            continue
        text = "keys by hand are never renewed, and whoever learns them reads all that was sent (RFC 8221, 3)"
        scope.at_key(MANUAL_KEY, ("ipsec-tunnels", name, "manual-key"), text)
        path: Path = ("ipsec-tunnels", name, "anti-replay")
        if scope.places.has(*path) and tunnel.anti_replay.enabled:
            text = "when the peer starts anew it counts from one again, and is dropped as replayed (RFC 4303, 3.3.3)"
            scope.at_key(MANUAL_KEY, path, text)


def _gateways(scope: Scope) -> dict[str, IkeGateway]:
    return scope.configuration.ike_gateways


def _manual_keys(scope: Scope) -> Iterator[ManualKey]:
    return (t.manual_key for t in scope.configuration.ipsec_tunnels.values() if t.manual_key is not None)


def _ends(scope: Scope, tunnel: IpsecTunnel) -> tuple[Address | None, Address | None]:
    """Our address and the peer's, where both are written."""
    if tunnel.manual_key is not None:
        return tunnel.manual_key.local_address, tunnel.manual_key.peer_address
    gateway = _gateways(scope).get(tunnel.ike_gateway or "")
    if gateway is None:
        return None, None
    peer = gateway.peer_address
    return gateway.local_address, peer.address if isinstance(peer, FixedPeer) else None


RULES = (
    transport_mode_is_between_the_gateways,
    a_local_address_of_transport_mode_has_one_interface,
    udp_carries_esp_in_tunnel_mode,
    keys_by_hand_stand_alone,
    spis_of_manual_keys_differ,
    keys_by_hand_are_said_to_be,
)
