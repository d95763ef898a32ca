"""A valid document to the plan."""

from __future__ import annotations

from ipaddress import IPv4Interface, ip_address
from pathlib import Path

import pytest

from isthmus.config.compile import HostAddresses
from isthmus.config.compile import compile as compiled_from
from isthmus.config.load import load
from isthmus.model.address import Address
from isthmus.model.identity import Identity, IdType
from isthmus.model.plan import (
    DynamicPeer,
    Encapsulation,
    ExchangeMode,
    FixedPeer,
    Lifetime,
    Mode,
    NamedPeer,
    Plan,
    PpkMode,
    PreSharedKey,
    Start,
    Version,
)
from isthmus.model.quantities import Seconds
from isthmus.model.secret import Secret
from isthmus.model.selectors import ANY_IPV4
from tests.config.writing import PSK, SOUND, changed, read

_ROOT = Path(__file__).parents[2]


def _plan(text: str, host: HostAddresses | None = None) -> Plan:
    compiled = compiled_from(read(text), host)
    assert compiled.plan is not None, [str(problem) for problem in compiled.problems]
    return compiled.plan


def test_a_gateway_becomes_a_peer_with_all_defaults_filled_in() -> None:
    peer = _plan(SOUND).peers["branch"]
    assert (peer.interface, peer.local, peer.address) == (
        "eth0",
        ip_address("192.0.2.1"),
        FixedPeer(ip_address("198.51.100.2")),
    )
    assert peer.authentication == PreSharedKey(Secret(PSK.encode()))
    assert peer.local_id == Identity.of_address(ip_address("192.0.2.1"))
    assert peer.peer_id is None
    assert peer.version is Version.IKEV2
    assert (peer.passive, peer.require_cookie, peer.encapsulation) == (False, False, Encapsulation.AUTO)
    assert (peer.nat_traversal.enabled, peer.nat_traversal.keep_alive) == (True, 20.0)
    assert (peer.fragmentation.enabled, peer.fragmentation.size) == (True, 1280)
    assert (peer.liveness.enabled, peer.liveness.interval) == (True, 5.0)
    assert peer.profile.name == "strong"
    assert peer.profile.lifetime == Lifetime(Seconds(28800.0))


def test_what_is_written_reaches_the_plan() -> None:
    more = """\
    passive: true
    local-id: {fqdn: hq.example}
    peer-id: {user-fqdn: vpn@branch.example}
    nat-traversal: {enabled: false, keep-alive: 1m}
    encapsulation: udp
    fragmentation: {enabled: false, size: 576}
    ikev2: {ike-crypto-profile: strong, require-cookie: true, liveness: {enabled: false, interval: 100s}}
"""
    peer = _plan(changed(("    ikev2: {ike-crypto-profile: strong}\n", more))).peers["branch"]
    assert peer.passive
    assert peer.local_id == Identity.fqdn("hq.example")
    assert peer.peer_id == Identity.user_fqdn("vpn@branch.example")
    assert (peer.nat_traversal.enabled, peer.nat_traversal.keep_alive) == (False, 60.0)
    assert peer.encapsulation is Encapsulation.UDP
    assert (peer.fragmentation.enabled, peer.fragmentation.size) == (False, 576)
    assert peer.require_cookie
    assert (peer.liveness.enabled, peer.liveness.interval) == (False, 100.0)


def test_a_tunnel_has_a_child_for_each_proxy_id_in_the_order_of_the_file() -> None:
    more = "      web: {local: 10.1.0.7, remote: 10.9.0.5-10.9.0.9, protocol: tcp, remote-port: 443}\n"
    tunnel = _plan(SOUND + more).tunnels["branch"]
    assert [child.name for child in tunnel.children] == ["branch:lan", "branch:web"]
    (local,), (remote,) = tunnel.children[1].local, tunnel.children[1].remote
    assert (str(local), str(remote)) == ("10.1.0.7/32[tcp]", "10.9.0.5-10.9.0.9[tcp/443]")
    assert (tunnel.interface, tunnel.peer, tunnel.mode, tunnel.start) == (
        "tunnel.1",
        "branch",
        Mode.TUNNEL,
        Start.IMMEDIATE,
    )
    assert (tunnel.anti_replay.enabled, tunnel.anti_replay.window, tunnel.copy_tos) == (True, 1024, False)
    assert tunnel.enabled


def test_a_tunnel_without_proxy_ids_carries_everything() -> None:
    plan = _plan(SOUND.partition("    proxy-ids:")[0])
    (child,) = plan.tunnels["branch"].children
    assert (child.name, child.local, child.remote) == ("branch", (ANY_IPV4,), (ANY_IPV4,))


def test_options_of_a_tunnel_reach_the_plan() -> None:
    more = (
        "    anti-replay: {enabled: false, window: 64}\n    copy-tos: true\n    start: on-demand\n    disabled: true\n"
    )
    tunnel = _plan(changed(("    proxy-ids:", f"{more}    proxy-ids:"))).tunnels["branch"]
    assert (tunnel.anti_replay.enabled, tunnel.anti_replay.window) == (False, 64)
    assert (tunnel.copy_tos, tunnel.start, tunnel.enabled) == (True, Start.ON_DEMAND, False)


def test_lifetimes_and_sizes_are_in_seconds_and_octets() -> None:
    plan = _plan(
        changed(
            ("dh-group: [group31]}", "dh-group: [group31], lifetime: 7d, authentication-multiple: 3}"),
            ("dh-group: group20}", "dh-group: group20, lifetime: 30m, lifesize: 50GB}"),
        )
    )
    assert plan.peers["branch"].profile.lifetime == Lifetime(Seconds(7 * 86400.0))
    assert plan.peers["branch"].profile.authentication_multiple == 3
    assert plan.tunnels["branch"].profile.lifetime == Lifetime(Seconds(1800.0), 50 * 1024**3)


def test_interfaces_routes_and_settings_reach_the_plan() -> None:
    plan = _plan(
        changed(("  tunnel.2: {", "  tunnel.2: {mtu: 1400, ")) + "settings: {cookie-activation-threshold: 0}\n"
    )
    assert plan.interfaces["tunnel.1"].addresses == (IPv4Interface("10.255.0.1/30"),)
    assert (plan.interfaces["tunnel.1"].mtu, plan.interfaces["tunnel.2"].mtu) == (None, 1400)
    assert (plan.interfaces["eth0"].zone, plan.interfaces["eth0"].virtual_router) == ("untrust", "default")
    (route,) = plan.routes
    assert (route.name, route.virtual_router, str(route.destination), route.interface, route.metric) == (
        "branch",
        "default",
        "10.2.0.0/16",
        "tunnel.1",
        10,
    )
    assert plan.settings.cookie_activation_threshold == 0


def test_profiles_that_are_not_named_are_the_default_ones() -> None:
    plan = _plan(changed(("    ikev2: {ike-crypto-profile: strong}\n", ""), ("    ipsec-crypto-profile: strong\n", "")))
    assert (plan.peers["branch"].profile.name, plan.tunnels["branch"].profile.name) == ("default", "default")


def test_a_profile_that_is_written_takes_the_place_of_the_built_in_one() -> None:
    plan = _plan(
        changed(
            ("  strong: {encryption", "  default: {encryption"),
            ("ike-crypto-profile: strong", "ike-crypto-profile: default"),
        )
    )
    assert [str(p) for p in plan.peers["branch"].profile.proposals] == ["aes-256-gcm/prf-sha384/group31"]


@pytest.mark.parametrize(
    ("written", "address"),
    [("gw.branch.example", NamedPeer("gw.branch.example")), ("2001:db8::7", FixedPeer(ip_address("2001:db8::7")))],
)
def test_peers_are_where_they_are_said_to_be(written: str, address: object) -> None:
    local = "2001:db8::1" if ":" in written else "192.0.2.1"
    assert _plan(changed(("198.51.100.2", written), ("192.0.2.1", local))).peers["branch"].address == address


def test_a_dynamic_peer_is_known_by_its_identity() -> None:
    peer = _plan(changed(("198.51.100.2", "dynamic\n    peer-id: {key-id: 0x00ff}"))).peers["branch"]
    assert peer.address == DynamicPeer()
    assert peer.peer_id == Identity.key_id(b"\x00\xff")


def test_a_distinguished_name_becomes_der() -> None:
    peer = _plan(changed(("198.51.100.2", "198.51.100.2\n    peer-id: {dn: 'CN=branch, O=Example, C=CH'}"))).peers[
        "branch"
    ]
    assert peer.peer_id is not None
    assert peer.peer_id.type is IdType.DER_ASN1_DN
    # RFC 4514, 2.1: the last written is the first encoded.
    assert peer.peer_id.value.hex() == (
        "3030310b30090603550406130243483110300e060355040a0c074578616d706c65310f300d06035504030c066272616e6368"
    )


def _host(*addresses: str) -> HostAddresses:
    found: tuple[Address, ...] = tuple(ip_address(address) for address in addresses)
    return lambda interface: found if interface == "eth0" else ()


_NO_LOCAL = ("    local-address: 192.0.2.1\n", "")


def test_the_local_address_is_the_interfaces_first_of_the_peers_family() -> None:
    host = _host("fe80::1", "2001:db8::1", "192.0.2.7", "192.0.2.8")
    assert str(_plan(changed(_NO_LOCAL), host).peers["branch"].local) == "192.0.2.7"
    assert str(_plan(changed(_NO_LOCAL, ("198.51.100.2", "2001:db8::7")), host).peers["branch"].local) == "2001:db8::1"
    assert str(_plan(changed(_NO_LOCAL, ("198.51.100.2", "gw.example")), host).peers["branch"].local) == "192.0.2.7"


def test_the_default_local_id_is_the_address_that_was_found() -> None:
    peer = _plan(changed(_NO_LOCAL), _host("192.0.2.7")).peers["branch"]
    assert peer.local_id == Identity.of_address(ip_address("192.0.2.7"))


@pytest.mark.parametrize("addresses", [(), ("2001:db8::1",), ("169.254.1.1",)])
def test_an_interface_without_an_address_is_told_where_it_is_named(addresses: tuple[str, ...]) -> None:
    document = read(changed(_NO_LOCAL))
    compiled = compiled_from(document, _host(*addresses))
    assert compiled.plan is None
    (problem,) = [p for p in compiled.problems if p not in document.problems]
    assert (problem.code.name, problem.place) == (
        "NO-ADDRESS",
        document.places.value("ike-gateways", "branch", "interface"),
    )


def test_without_a_host_nobody_asks_for_its_addresses() -> None:
    assert compiled_from(read(changed(_NO_LOCAL))).plan is not None


def test_an_invalid_document_has_no_plan() -> None:
    document = read(changed(("zone: vpn", "zone: vnp")))
    compiled = compiled_from(document)
    assert compiled.plan is None
    assert compiled.problems == document.problems


def test_post_quantum_keys_reach_the_plan() -> None:
    ppk = "    ppk: {mode: mandatory, keys: {first: {env: PSK}}}\n"
    peer = _plan(changed(("    interface: eth0\n", f"    interface: eth0\n{ppk}"))).peers["branch"]
    assert peer.ppk is not None
    assert peer.ppk.mode is PpkMode.MANDATORY
    assert dict(peer.ppk.keys) == {b"first": Secret(PSK.encode())}


def test_additional_key_exchanges_reach_the_plan() -> None:
    plan = _plan(
        changed(
            ("dh-group: [group31]}", "dh-group: [group31], additional-key-exchange: [[ml-kem-768, none]]}"),
            ("dh-group: group20}", "dh-group: group20, additional-key-exchange: [[ml-kem-1024], [group31]]}"),
        )
    )
    (ike,), (esp,) = plan.peers["branch"].profile.proposals, plan.tunnels["branch"].profile.proposals
    assert str(ike) == "aes-256-gcm/prf-sha384/group31/ml-kem-768,none"
    assert str(esp) == "aes-256-gcm/group20/esn,no-esn/ml-kem-1024/group31"


@pytest.mark.parametrize("site", ["hq", "branch"])
def test_the_example_compiles(site: str) -> None:
    document = load(_ROOT / "examples" / "two-sites" / f"{site}.yaml", {})
    assert {problem.code.name for problem in document.problems} <= {"ZONES-NOT-ENFORCED", "READABLE-SECRET"}
    plan = compiled_from(document, lambda interface: ()).plan
    assert plan is not None
    (peer,) = plan.peers.values()
    assert (peer.local_id, peer.peer_id) == (
        Identity.fqdn(f"{site}.example"),
        Identity.fqdn({"hq": "branch", "branch": "hq"}[site] + ".example"),
    )


def test_the_two_sites_of_the_example_mirror_each_other() -> None:
    hq, branch = (
        compiled_from(load(_ROOT / "examples" / "two-sites" / f"{site}.yaml", {})).plan for site in ("hq", "branch")
    )
    assert hq is not None
    assert branch is not None
    (here,), (there,) = hq.tunnels["branch"].children, branch.tunnels["hq"].children
    assert (here.local, here.remote) == (there.remote, there.local)
    assert hq.peers["branch"].authentication == branch.peers["hq"].authentication
    assert FixedPeer(hq.peers["branch"].local) == branch.peers["hq"].address


def test_where_weak_algorithms_are_refused_aggressive_mode_is_not_answered_either() -> None:
    old = changed(
        ("    interface: eth0\n", "    interface: eth0\n    version: ikev1\n"),
        ("encryption: [aes-256-gcm], hash", "encryption: [aes-256-cbc], hash"),
    ).replace("ikev2: {ike", "ikev1: {ike")
    modes = []
    for settings in ("", "settings: {weak-algorithms: refuse}\n"):
        ikev1 = _plan(settings + old).peers["branch"].ikev1
        assert ikev1 is not None
        modes.append(ikev1.exchange_mode)
    assert modes == [ExchangeMode.AUTO, ExchangeMode.MAIN]
