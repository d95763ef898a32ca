"""Rules about versions of IKE: what IKEv1 cannot do is refused, not passed over in silence."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config.problems import ALGORITHMS, CONFLICT
from isthmus.config.rules.scope import Scope
from isthmus.config.schema.crypto_profiles import NO_EXCHANGE
from isthmus.config.schema.tunnels import IpsecTunnel
from isthmus.model import algorithms
from isthmus.model.plan import PpkMode, Version
from isthmus.model.selectors import MAX_PORT


def aead_in_ike_is_for_ikev2(scope: Scope) -> None:
    # RFC 5282 defines authenticated encryption for IKEv2 messages; IKEv1 has none.
    for name, gateway in scope.configuration.ike_gateways.items():
        profile = scope.ike_profile(gateway.ikev1.ike_crypto_profile)
        if gateway.version is Version.IKEV2 or profile is None:
            continue
        if all(algorithms.ENCRYPTION_BY_NAME[cipher].aead for cipher in profile.encryption):
            text = f"IKEv1 has no AEAD: {gateway.ikev1.ike_crypto_profile} needs a cipher such as aes-256-cbc"
            scope.at_value(ALGORITHMS, ("ike-gateways", name, "ikev1", "ike-crypto-profile"), text)


def ikev1_keeps_what_is_demanded(scope: Scope) -> None:
    """What only IKEv2 can do must not be passed over in silence by falling back from it."""
    for name, gateway in scope.configuration.ike_gateways.items():
        if gateway.version is Version.IKEV2:
            continue
        if gateway.ppk is not None and gateway.ppk.mode is PpkMode.MANDATORY:
            text = f"mandatory post-quantum keys need version: ikev2 ({gateway.version} allows IKEv1, which has none)"
            scope.at_value(CONFLICT, ("ike-gateways", name, "version"), text)
        profile = scope.ike_profile(gateway.ikev1.ike_crypto_profile)
        if profile is not None and _demands_more(profile.additional_key_exchange):
            text = f"{gateway.ikev1.ike_crypto_profile} demands an additional key exchange, and IKEv1 has none"
            scope.at_value(CONFLICT, ("ike-gateways", name, "ikev1", "ike-crypto-profile"), text)


def ikev1_can_ask_for_each_tunnel(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        below = scope.configuration.ike_gateways.get(tunnel.ike_gateway or "")
        if below is None or below.version is Version.IKEV2:
            continue
        _check_profile(scope, name, tunnel, f"gateway {tunnel.ike_gateway} has version: {below.version}")
        for proxy_name, proxy in tunnel.proxy_ids.items():
            for option, ports in (("local-port", proxy.local_port), ("remote-port", proxy.remote_port)):
                if ports != (0, MAX_PORT) and ports[0] != ports[1]:
                    text = "IKEv1 has no ranges of ports: one port, or any"
                    scope.at_value(CONFLICT, ("ipsec-tunnels", name, "proxy-ids", proxy_name, option), text)


def _check_profile(scope: Scope, name: str, tunnel: IpsecTunnel, because: str) -> None:
    profile, path = scope.ipsec_profile(tunnel.ipsec_crypto_profile), ("ipsec-tunnels", name, "ipsec-crypto-profile")
    if profile is None:
        return
    if _demands_more(profile.additional_key_exchange):
        scope.at_value(CONFLICT, path, f"an additional key exchange needs IKEv2; {because}")
    ciphers = profile.esp.encryption if profile.esp is not None else ()
    if ciphers and all(algorithms.ENCRYPTION_BY_NAME[cipher].ikev1_esp is None for cipher in ciphers):
        scope.at_value(ALGORITHMS, path, f"{ciphers[0]} needs IKEv2; {because}")


def _demands_more(rounds: Iterable[Iterable[str]]) -> bool:
    return any(NO_EXCHANGE not in names for names in rounds)


RULES = (aead_in_ike_is_for_ikev2, ikev1_keeps_what_is_demanded, ikev1_can_ask_for_each_tunnel)
