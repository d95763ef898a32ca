"""Rules about IKE gateways."""

from __future__ import annotations

from isthmus.config.problems import (
    AMBIGUOUS_PEER,
    CONFLICT,
    FAMILY_MISMATCH,
    INTERFACE_KIND,
    PEER_UNIDENTIFIED,
)
from isthmus.config.rules.scope import Scope, is_tunnel
from isthmus.model.identity import Matching
from isthmus.model.plan import DynamicPeer, FixedPeer, Version


def a_gateway_faces_its_peer_through_the_host(scope: Scope) -> None:
    for name, gateway in scope.configuration.ike_gateways.items():
        if is_tunnel(gateway.interface):
            text = f"{gateway.interface} is a tunnel interface; IKE is spoken on an interface of the host"
            scope.at_value(INTERFACE_KIND, ("ike-gateways", name, "interface"), text)


def both_addresses_are_of_one_family(scope: Scope) -> None:
    for name, gateway in scope.configuration.ike_gateways.items():
        local, peer = gateway.local_address, gateway.peer_address
        if local is None or not isinstance(peer, FixedPeer):
            continue
        path = ("ike-gateways", name, "local-address")
        if local.version != peer.address.version:
            scope.at_value(FAMILY_MISMATCH, path, f"{local} cannot reach {peer.address}: another address family")
        elif local == peer.address:
            scope.at_value(CONFLICT, path, f"{local} is the peer's address too")


def a_peer_from_anywhere_has_an_identity(scope: Scope) -> None:
    for name, gateway in scope.configuration.ike_gateways.items():
        if isinstance(gateway.peer_address, DynamicPeer) and gateway.peer_id is None:
            text = "peer-id is missing: nothing else tells who a peer with a dynamic address is"
            scope.at_value(PEER_UNIDENTIFIED, ("ike-gateways", name, "peer-address"), text)


def wildcards_are_for_certificates(scope: Scope) -> None:
    for name, gateway in scope.configuration.ike_gateways.items():
        wildcard = gateway.peer_id is not None and gateway.peer_id.matching is Matching.WILDCARD
        if wildcard and gateway.authentication.pre_shared_key is not None:
            text = "wildcard goes with certificates: a pre-shared key belongs to one peer"
            scope.at_value(CONFLICT, ("ike-gateways", name, "peer-id", "matching"), text)


def gateways_can_be_told_apart(scope: Scope) -> None:
    seen: dict[tuple[object, ...], str] = {}
    for name, gateway in scope.configuration.ike_gateways.items():
        who = gateway.peer_id.identity if gateway.peer_id else None
        key = (gateway.interface, gateway.local_address, gateway.peer_address, who)
        other = seen.setdefault(key, name)
        if other != name:
            text = f"when the peer begins, {name} cannot be told from {other}: same addresses, same peer-id"
            scope.at_key(AMBIGUOUS_PEER, ("ike-gateways", name), text)


def dynamic_peers_share_a_profile(scope: Scope) -> None:
    # RFC 7296, 1.2; RFC 2409, 5.1: the suite of the IKE SA is agreed on before the initiator says who it is.
    seen: dict[tuple[object, ...], tuple[str, str]] = {}
    for name, gateway in scope.configuration.ike_gateways.items():
        if not isinstance(gateway.peer_address, DynamicPeer):
            continue
        spoken = {Version.IKEV1: gateway.ikev1.ike_crypto_profile, Version.IKEV2: gateway.ikev2.ike_crypto_profile}
        for version, profile in spoken.items():
            if gateway.version not in (version, Version.IKEV2_PREFERRED):
                continue
            key = (gateway.interface, gateway.local_address, version)
            other, first = seen.setdefault(key, (name, profile))
            if first != profile:
                text = f"the IKE SA is agreed on before a dynamic peer is known: give {name} the profile of {other}"
                scope.at_value(AMBIGUOUS_PEER, ("ike-gateways", name, version.value, "ike-crypto-profile"), text)


RULES = (
    a_gateway_faces_its_peer_through_the_host,
    both_addresses_are_of_one_family,
    a_peer_from_anywhere_has_an_identity,
    wildcards_are_for_certificates,
    gateways_can_be_told_apart,
    dynamic_peers_share_a_profile,
)
