"""One wrong configuration for each code, and more where a code has several ways to come about."""

from __future__ import annotations

from dataclasses import dataclass

from tests.config.writing import SOUND, changed


@dataclass(frozen=True)
class Case:
    code: str
    text: str
    suggestion: str | None = None


def _gateway(*lines: str) -> str:
    """More options of the gateway."""
    return changed(("    interface: eth0\n", "".join(f"    {line}\n" for line in ("interface: eth0", *lines))))


def _proxies(*lines: str) -> str:
    """More proxy IDs."""
    lan = "      lan: {local: 10.1.0.0/16, remote: 10.2.0.0/16}\n"
    return changed((lan, lan + "".join(f"      {line}\n" for line in lines)))


def _monitor(options: str) -> str:
    return changed(("    proxy-ids:", f"    monitor: {{{options}}}\n    proxy-ids:"))


def _ike(options: str) -> str:
    return changed(("{encryption: [aes-256-gcm], hash: [sha384], dh-group: [group31]}", options))


def _ipsec(options: str) -> str:
    return changed(("{esp: {encryption: [aes-256-gcm]}, dh-group: group20}", options))


def _rounds(rounds: str) -> str:
    """More key exchanges for the IKE SA."""
    return changed(("dh-group: [group31]}", f"dh-group: [group31], additional-key-exchange: {rounds}}}"))


def _pfs(options: str) -> str:
    return changed(("dh-group: group20", f"dh-group: {options}"))


_MANUAL = """\
      interface: eth0
      peer-address: 192.0.2.9
      local-spi: 0x1000
      remote-spi: 0x1001
      ah: {authentication: {algorithm: sha256, key: {env: PSK}}}
"""
_MANUAL_AH = "ah: {authentication: {algorithm: sha256, key: {env: PSK}}}"
_transport = changed(
    ("    proxy-ids:\n      lan: {local: 10.1.0.0/16, remote: 10.2.0.0/16}\n", "    mode: ▶transport\n"),
)


def _by_hand(*lines: str) -> str:
    """A second tunnel, with keys by hand."""
    more = "".join(f"{line}\n" for line in lines)
    manual = _MANUAL.replace("      peer", "      local-address: 192.0.2.1\n      peer")
    return f"{SOUND}  legacy:\n    tunnel-interface: tunnel.2\n{more}    manual-key:\n{manual}"


_ETH0 = "  eth0: {zone: untrust, virtual-router: default}"
_TUNNEL2 = "  tunnel.2: {zone: vpn, virtual-router: default}"
_LONG = "a" * 60
_REFUSE = "settings: {weak-algorithms: refuse}\n"
_SECOND = "  other:\n    tunnel-interface: tunnel.1\n    ike-gateway: branch\n"

CASES = (
    # syntax
    Case("SYNTAX", SOUND + "broken: [▶"),
    Case("SYNTAX", SOUND + "▶---\nsettings: {}\n"),
    Case("SYNTAX", "▶- a list\n"),
    Case("SYNTAX", changed(("zones: {", "zones: {▶[a]: {}, "))),
    Case("SYNTAX", changed(("zones: {", "zones: {▶<<: {}, "))),
    Case("SYNTAX", _gateway("passive: ▶!!bool true")),
    Case("SYNTAX", _gateway("passive: ▶*nowhere")),
    Case("TOO-LARGE", "a: " + "[" * 15 + "▶" + "[" * 100),
    # options
    Case("UNKNOWN-KEY", SOUND + "▶ipsec-tunnel: {}\n", "ipsec-tunnels"),
    Case("UNKNOWN-KEY", _gateway("▶peer-adress: 192.0.2.7"), "peer-address"),
    Case("UNKNOWN-KEY", _gateway("▶liveness: {interval: 5s}"), "ikev2: liveness"),
    Case("UNKNOWN-KEY", _gateway("▶local_id: {fqdn: hq.example}"), "local-id"),
    Case("UNKNOWN-KEY", _gateway("ikev1: {dpd: {▶retries: 5}}"), "retry"),
    Case("UNKNOWN-KEY", SOUND + "settings: {▶zzz: 1}\n"),
    Case("DUPLICATE", _gateway("▶interface: eth1")),
    Case("DUPLICATE", SOUND.replace("  branch:\n    tunnel", "  branch: {}\n  ▶branch:\n    tunnel")),
    Case("DUPLICATE", _ike("{encryption: [aes-256-gcm, ▶aes-256-gcm], hash: [sha384], dh-group: [group31]}")),
    Case("DUPLICATE", changed(("  tunnel.2: {", "  tunnel.2: {address: [▶10.255.0.1/30], "))),
    Case("MISSING", changed(("  branch:\n    interface: eth0\n", "  ▶branch:\n"))),
    Case("MISSING", _gateway("▶passive:")),
    Case("MISSING", _gateway("local-id: ▶{}")),
    Case("MISSING", _ike("{encryption: ▶[], hash: [sha384], dh-group: [group31]}")),
    Case("MISSING", _ike("{▶encryption: , hash: [sha384], dh-group: [group31]}")),
    Case("MISSING", _ipsec("{▶esp: {encryption: [aes-256-cbc]}, dh-group: group20}")),
    Case("MISSING", changed(("{pre-shared-key: {env: PSK}}", "▶{}"))),
    Case("WRONG-TYPE", SOUND + "settings: ▶none\n"),
    Case("WRONG-TYPE", changed(("zones: {untrust: {}, trust: {}, vpn: {}}", "zones: ▶[untrust, trust, vpn]"))),
    Case("WRONG-TYPE", SOUND + "security-policies: ▶{}\n"),
    Case("WRONG-TYPE", _gateway("nat-traversal: ▶true")),
    Case("WRONG-TYPE", _gateway("passive: ▶yes"), "true"),
    Case("WRONG-TYPE", _gateway('passive: ▶"false"'), "false"),
    Case("WRONG-TYPE", _gateway("passive: ▶[]")),
    Case("WRONG-TYPE", _gateway("fragmentation: {size: ▶1.5}")),
    Case("WRONG-TYPE", _gateway('fragmentation: {size: ▶"1280"}'), "1280"),
    Case("WRONG-TYPE", _ike("{encryption: ▶aes-256-gcm, hash: [sha384], dh-group: [group31]}"), "[aes-256-gcm]"),
    # values
    Case("UNKNOWN-VALUE", _gateway("version: ▶ikv2"), "ikev2"),
    Case("UNKNOWN-VALUE", _gateway("encapsulation: ▶UDP"), "udp"),
    Case("UNKNOWN-VALUE", _ike("{encryption: [▶aes256-gcm], hash: [sha384], dh-group: [group31]}"), "aes-256-gcm"),
    Case("UNKNOWN-VALUE", _ike("{encryption: [aes-256-gcm], hash: [▶sha-384], dh-group: [group31]}"), "sha384"),
    Case("UNKNOWN-VALUE", _ike("{encryption: [aes-256-gcm], hash: [sha384], dh-group: [group31, ▶14]}")),
    Case("UNKNOWN-VALUE", _ike('{encryption: [▶"null", aes-256-gcm], hash: [sha384], dh-group: [group31]}')),
    Case("UNKNOWN-VALUE", _proxies("web: {local: 10.1.0.0/16, remote: 10.9.0.0/16, protocol: ▶tpc}"), "tcp"),
    Case("MALFORMED", changed(("198.51.100.2", "▶198.51.100.256"))),
    Case("MALFORMED", changed(("192.0.2.1\n", "▶192.0.2.1/24\n")), "192.0.2.1"),
    Case("MALFORMED", changed(("198.51.100.2", "▶dynamc")), "dynamic"),
    Case("MALFORMED", changed(("10.255.0.1/30", "▶10.255.0.1")), "10.255.0.1/32"),
    Case("MALFORMED", changed(("destination: 10.2.0.0/16", "destination: ▶10.2.0.1/16")), "10.2.0.0/16"),
    Case("MALFORMED", _proxies("web: {local: 10.1.0.0/16, remote: ▶10.9.0.9-10.9.0.5}")),
    Case("MALFORMED", _gateway("nat-traversal: {keep-alive: ▶20}"), "20s"),
    Case("MALFORMED", _gateway("fragmentation: {size: ▶01280}"), "1280"),
    Case("MALFORMED", _gateway("local-id: {user-fqdn: ▶hq.example}")),
    Case("MALFORMED", _gateway("local-id: {fqdn: ▶vpn@hq.example}"), "user-fqdn: vpn@hq.example"),
    Case("MALFORMED", _gateway("local-id: {dn: ▶hq.example}")),
    Case("MALFORMED", _gateway("local-id: {key-id: ▶0xabc}")),
    Case("MALFORMED", changed(("  tunnel.2:", "  ▶tunnel.two:"))),
    Case("MALFORMED", changed(("{pre-shared-key: {env: PSK}}", "{pre-shared-key: ▶{fiel: branch.psk}}"))),
    Case("MALFORMED", changed(("zones: {", "zones: {▶a b: {}, ")), "a-b"),
    Case("OUT-OF-RANGE", SOUND + "settings: {cookie-activation-threshold: ▶65536}\n"),
    Case("OUT-OF-RANGE", SOUND + "settings: {maximum-half-opened-sa: ▶0}\n"),
    Case("OUT-OF-RANGE", changed(("  tunnel.2:", "  ▶tunnel.10000:"))),
    Case("OUT-OF-RANGE", changed(("  tunnel.2: {", "  tunnel.2: {mtu: ▶575, "))),
    Case("OUT-OF-RANGE", _gateway("nat-traversal: {keep-alive: ▶9s}")),
    Case("OUT-OF-RANGE", _gateway("fragmentation: {size: ▶-1}")),
    Case("OUT-OF-RANGE", _ike("{encryption: [aes-256-gcm], hash: [sha384], dh-group: [group31], lifetime: ▶179s}")),
    Case("OUT-OF-RANGE", _ipsec("{esp: {encryption: [aes-256-gcm]}, dh-group: group20, lifesize: ▶65536TB}")),
    Case("OUT-OF-RANGE", changed(("    proxy-ids:", "    anti-replay: {window: ▶1000}\n    proxy-ids:")), "1024"),
    Case("OUT-OF-RANGE", _proxies("web: {local: 10.1.0.0/16, remote: 10.9.0.0/16, protocol: tcp, local-port: ▶65536}")),
    # references
    Case("UNKNOWN-NAME", changed(("ike-crypto-profile: strong", "ike-crypto-profile: ▶strng")), "strong"),
    Case("UNKNOWN-NAME", changed(("-profile: strong", "-profile: ▶suite-b-gcm-265")), "suite-b-gcm-256"),
    Case("UNKNOWN-NAME", changed(("ike-gateway: branch", "ike-gateway: ▶brnch")), "branch"),
    Case("UNKNOWN-NAME", changed(("{zone: trust,", "{zone: ▶thrust,")), "trust"),
    Case("UNKNOWN-NAME", changed(("{zone: trust, virtual-router: default", "{zone: trust, virtual-router: ▶vr1"))),
    Case("UNKNOWN-NAME", changed(("interface: tunnel.1}", "interface: ▶tunnel.3}")), "tunnel.2"),
    Case("UNKNOWN-NAME", _monitor("destination: 10.255.0.2, proxy-id: ▶lam"), "lan"),
    Case("CONFLICT", changed(("  branch:\n    tunnel-interface: tunnel.1\n", f"""\
  ▶branch:
    tunnel-interface: tunnel.1
    manual-key:
{_MANUAL}"""))),
    Case("ALGORITHMS", SOUND + f"""\
  other:
    tunnel-interface: tunnel.2
    manual-key:
{_MANUAL.replace("ah:", "esp: {▶encryption: {algorithm: aes-128-cbc}}  #")}"""),
    Case("TOO-LARGE", "zones: ▶[" + "a, " * 10_001 + "]"),
    Case("CONFLICT", _gateway("local-id: ▶{fqdn: hq.example, ip: 192.0.2.1}")),
    Case("CONFLICT", changed(("{pre-shared-key: {env: PSK}}", "{pre-shared-key: {env: PSK}, strict-eku: ▶true}"))),
    Case("CONFLICT", changed(("192.0.2.1\n", "▶198.51.100.2\n"))),
    Case("CONFLICT", _gateway("peer-id: {fqdn: '*.example', matching: ▶wildcard}")),
    Case("CONFLICT", _proxies("web: {local: 10.1.0.0/16, remote: 10.9.0.0/16, local-port: ▶443}")),
    # secrets
    Case("NO-SECRET", changed(("{env: PSK}", "▶{env: NONE}"))),
    Case("NO-SECRET", changed(("{env: PSK}", "▶{file: none.psk}"))),
    Case("NO-SECRET", changed(("{env: PSK}", "▶{credential: psk}"))),
    Case("PLAIN-SECRET", changed(("{env: PSK}", "▶Zb8vQm3xK1tR7yWc9LpN4sDf6HgJ2aEu"))),
    # interfaces, routers, routes
    Case("INTERFACE-KIND", changed(("    interface: eth0\n", "    interface: ▶tunnel.2\n"))),
    Case("INTERFACE-KIND", changed(("tunnel-interface: tunnel.1", "tunnel-interface: ▶eth1"))),
    Case("INTERFACE-KIND", changed(("  eth1: {", "  eth1: {▶mtu: 1400, "))),
    Case("INTERFACE-UNPLACED", changed(("  tunnel.2: {zone: vpn, ", "  ▶tunnel.2: {"))),
    Case("INTERFACE-UNPLACED", changed((_TUNNEL2, "  ▶tunnel.2: {zone: vpn}"))),
    Case("INTERFACE-UNPLACED", changed((_ETH0, "  ▶eth0: {zone: untrust}"))),
    Case("ROUTER-MISMATCH", changed(
        (_ETH0, "  eth0: {zone: untrust, virtual-router: blue}"),
        ("  default:\n", "  blue: {}\n  default:\n"),
        ("tunnel-interface: tunnel.1", "tunnel-interface: ▶tunnel.1"),
    )),
    Case("ROUTER-MISMATCH", changed(
        (_TUNNEL2, "  tunnel.2: {zone: vpn, virtual-router: blue}"),
        ("  default:\n", "  blue: {}\n  default:\n"),
        ("interface: tunnel.1}", "interface: ▶tunnel.2}"),
    )),
    Case("DUPLICATE-ROUTE", changed(
        ("    static-routes:\n", "    static-routes:\n      again: {destination: 10.2.0.0/16, interface: tunnel.2}\n"),
        ("{destination: 10.2.0.0/16, interface: tunnel.1}", "{destination: ▶10.2.0.0/16, interface: tunnel.1}"),
    )),
    Case("ROUTE-WITHOUT-PROXY-ID", changed(("destination: 10.2.0.0/16", "destination: ▶10.3.0.0/16"))),
    Case("COOKIE-THRESHOLD", SOUND + "settings: {maximum-half-opened-sa: ▶500}\n"),
    Case("COOKIE-THRESHOLD", SOUND + "settings: {cookie-activation-threshold: ▶7, maximum-half-opened-sa: 7}\n"),
    Case("ZONES-NOT-ENFORCED", changed(("zones:", "▶zones:"))),
    # profiles
    Case("ALGORITHMS", _ike("{encryption: [aes-256-cbc], hash: [▶non-auth], dh-group: [group31]}")),
    Case("ALGORITHMS", _ike("{encryption: [aes-256-gcm, aes-256-cbc], hash: ▶[non-auth], dh-group: [group31]}")),
    Case("ALGORITHMS", _rounds("▶[[ml-kem-768], [ml-kem-768]]")),
    Case("ALGORITHMS", _rounds("▶[[group31]]")),
    Case("ALGORITHMS", _pfs("group20, additional-key-exchange: ▶[[ml-kem-768], [group20]]")),
    Case("CONFLICT", _pfs("no-pfs, ▶additional-key-exchange: [[ml-kem-768]]")),
    Case("ALGORITHMS", _ipsec('{esp: {encryption: ["null"], authentication: ▶[none]}, dh-group: group20}')),
    Case("ALGORITHMS", _gateway("version: ikev2-preferred", "ikev1: {ike-crypto-profile: ▶strong}")),
    Case("UNUSED-ALGORITHM", _ipsec("{esp: {encryption: [aes-256-gcm], authentication: ▶[sha1]}, dh-group: group20}")),
    Case("WEAK-ALGORITHM", _ike("{encryption: [aes-256-gcm, ▶3des], hash: [sha384], dh-group: [group31]}")),
    Case("WEAK-ALGORITHM", _ike("{encryption: [aes-256-gcm], hash: [sha384, ▶md5], dh-group: [group31]}")),
    Case("WEAK-ALGORITHM", _ike("{encryption: [aes-256-gcm], hash: [sha384], dh-group: [group31, ▶group2]}")),
    Case("WEAK-ALGORITHM", _ipsec("{esp: {encryption: [aes-256-gcm, ▶aes-256-gcm-8]}, dh-group: group20}")),
    Case("WEAK-ALGORITHM", _ipsec("{esp: {encryption: [aes-256-cbc], authentication: [▶sha1]}, dh-group: group20}")),
    Case("WEAK-ALGORITHM", _ipsec("{esp: {encryption: [aes-256-gcm]}, dh-group: ▶group5}")),
    Case("WEAK-ALGORITHM", _rounds("[[ml-kem-768, ▶group2]]")),
    Case("WEAK-ALGORITHM", changed(("ike-crypto-profile: strong", "ike-crypto-profile: ▶legacy-default"))),
    Case("WEAK-ALGORITHM", changed(("ipsec-crypto-profile: strong", "ipsec-crypto-profile: ▶legacy-default"))),
    # gateways
    Case("PEER-UNIDENTIFIED", changed(("peer-address: 198.51.100.2", "peer-address: ▶dynamic"))),
    Case("FAMILY-MISMATCH", changed(("local-address: 192.0.2.1", "local-address: ▶2001:db8::1"))),
    Case("AGGRESSIVE-MODE", _gateway("version: ikev2-preferred", "ikev1: {exchange-mode: ▶aggressive}")),
    Case(
        "AGGRESSIVE-MODE",
        _gateway("version: ikev1", "ikev1: {exchange-mode: ▶auto}", "peer-id: {fqdn: b.example}").replace(
            "peer-address: 198.51.100.2", "peer-address: dynamic"
        ),
    ),
    Case("REFUSED-ALGORITHM", _REFUSE + _gateway("version: ikev1", "ikev1: {exchange-mode: ▶aggressive}")),
    Case(
        "REFUSED-ALGORITHM",
        _REFUSE + _ike("{encryption: [aes-256-cbc, ▶3des], hash: [sha384], dh-group: [group31]}"),
    ),
    Case("REFUSED-ALGORITHM", _REFUSE + _ike("{encryption: [aes-256-cbc], hash: [▶sha1], dh-group: [group31]}")),
    Case("REFUSED-ALGORITHM", _REFUSE + _ike("{encryption: [aes-256-gcm], hash: [sha384], dh-group: [▶group2]}")),
    Case("REFUSED-ALGORITHM", _REFUSE + _pfs("▶group5")),
    Case(
        "REFUSED-ALGORITHM",
        _REFUSE + _ipsec("{esp: {encryption: [aes-256-cbc], authentication: [▶md5]}, dh-group: group20}"),
    ),
    Case(
        "REFUSED-ALGORITHM",
        _REFUSE + changed(("ipsec-crypto-profile: strong", "ipsec-crypto-profile: ▶legacy-default")),
    ),
    Case(
        "CONFLICT",
        _proxies("web: {local: 10.1.0.0/16, remote: 10.3.0.0/16, protocol: tcp, remote-port: ▶80-90}").replace(
            "    interface: eth0\n", "    interface: eth0\n    version: ikev2-preferred\n"
        ),
    ),
    Case(
        "ALGORITHMS",
        _ipsec("{esp: {encryption: [chacha20-poly1305]}, dh-group: group20}")
        .replace("    interface: eth0\n", "    interface: eth0\n    version: ikev2-preferred\n")
        .replace("ipsec-crypto-profile: strong", "ipsec-crypto-profile: ▶strong"),
    ),
    Case("NOT-SUPPORTED", changed(("    proxy-ids:", "    ▶monitor: {destination: 10.255.0.2}\n    proxy-ids:"))),
    Case("CONFLICT", _gateway("version: ▶ikev2-preferred", "ppk: {mode: mandatory, keys: {a: {env: PPK}}}")),
    Case(
        "CONFLICT",
        _rounds("[[ml-kem-768]]").replace(
            "    interface: eth0\n",
            "    interface: eth0\n    version: ikev1\n    ikev1: {ike-crypto-profile: ▶strong}\n",
        ),
    ),
    Case(
        "CONFLICT",
        _pfs("group20, additional-key-exchange: [[ml-kem-768]]")
        .replace("    interface: eth0\n", "    interface: eth0\n    version: ikev1\n")
        .replace("ipsec-crypto-profile: strong", "ipsec-crypto-profile: ▶strong"),
    ),
    Case("AMBIGUOUS-PEER", changed(("ipsec-tunnels:\n", """\
  ▶twin:
    interface: eth0
    local-address: 192.0.2.1
    peer-address: 198.51.100.2
    authentication: {pre-shared-key: {env: PSK}}
ipsec-tunnels:
"""))),
    Case("AMBIGUOUS-PEER", changed(
        ("peer-address: 198.51.100.2", "peer-address: dynamic\n    peer-id: {fqdn: a.example}"),
        ("ipsec-tunnels:\n", """\
  roaming:
    interface: eth0
    local-address: 192.0.2.1
    peer-address: dynamic
    peer-id: {fqdn: b.example}
    authentication: {pre-shared-key: {env: PSK}}
    ikev2: {ike-crypto-profile: ▶default}
ipsec-tunnels:
"""),
    )),
    # tunnels
    Case("FAMILY-MISMATCH", _proxies("six: {local: 10.1.0.0/16, remote: ▶2001:db8::/32}")),
    Case("DUPLICATE-PROXY-ID", _proxies("▶again: {local: 10.1.0.0/16, remote: 10.2.0.0/16}")),
    Case("DUPLICATE-PROXY-ID", SOUND + _SECOND.replace("  other", "  one").replace("tunnel.1", "tunnel.2")
         + _SECOND.replace("  other", "  ▶two").replace("tunnel.1", "tunnel.2")),
    Case("SHADOWED-PROXY-ID", _proxies("▶web: {local: 10.1.0.0/16, remote: 10.2.3.4, protocol: tcp}")),
    Case("TOO-MANY-PROXY-IDS", _proxies(
        *(f"p{i}: {{local: 10.1.0.0/16, remote: 10.3.{i}.0/24}}" for i in range(249)),
        "▶straw: {local: 10.1.0.0/16, remote: 10.4.0.0/16}",
    )),
    Case("NAME-TOO-LONG", _proxies(f"▶{_LONG}: {{local: 10.1.0.0/16, remote: 10.9.0.0/16}}")),
    Case("NAME-TOO-LONG", changed(("zones: {", f"zones: {{▶{_LONG}aaaa: {{}}, "))),
    Case("MONITOR-ADDRESS", _monitor("destination: ▶10.9.9.9").replace("e: tunnel.1\n", "e: tunnel.2\n")),
    Case("MONITOR-ADDRESS", _monitor("destination: ▶2001:db8::2")),
    # how traffic is protected
    Case("WEAK-ALGORITHM", _ipsec(
        "{esp: {encryption: [aes-256-cbc], authentication: [sha256, ▶none]}, dh-group: no-pfs}"
    )),
    Case("WEAK-ALGORITHM", _ipsec("{ah: {authentication: [▶md5]}, dh-group: no-pfs}")),
    Case("ALGORITHMS", _ipsec("{esp: {encryption: ['null'], authentication: ▶[sha1, none]}, dh-group: no-pfs}")),
    Case("CONFLICT", _transport.replace("    local-address: 192.0.2.1\n", "")),
    Case("CONFLICT", _transport.replace("198.51.100.2", "branch.example")),
    Case("CONFLICT", changed(("    proxy-ids:\n", "    mode: transport\n    proxy-ids:\n"),
                             ("remote: 10.2.0.0/16", "remote: ▶10.2.0.0/16"),
                             ("local: 10.1.0.0/16", "local: 192.0.2.1"))),
    Case("CONFLICT", _transport.replace("    interface: eth0\n", "    interface: eth0\n    encapsulation: udp\n")),
    Case("CONFLICT", _ipsec("{ah: {authentication: [sha256]}, dh-group: no-pfs}")
         .replace("    interface: eth0\n", "    interface: eth0\n    encapsulation: udp\n")
         .replace("ipsec-crypto-profile: strong", "ipsec-crypto-profile: ▶strong")),
    Case("CONFLICT", _transport.replace("ike-gateways:\n", """\
ike-gateways:
  elsewhere:
    interface: eth1
    local-address: 192.0.2.1
    peer-address: 203.0.113.9
    authentication: {pre-shared-key: {env: PSK}}
""")),
    Case("CONFLICT", _by_hand("    ▶proxy-ids: {lan: {local: 10.1.0.0/16, remote: 10.2.0.0/16}}")),
    Case("CONFLICT", _by_hand("    ▶ipsec-crypto-profile: strong")),
    Case("CONFLICT", _by_hand("    ▶start: on-demand")),
    Case("MANUAL-KEY", _by_hand().replace("manual-key:", "▶manual-key:")),
    Case("MANUAL-KEY", _by_hand("    ▶anti-replay: {window: 64}")),
    Case("FAMILY-MISMATCH", _by_hand().replace("192.0.2.9", "▶2001:db8::9")),
    Case("DUPLICATE", _by_hand() + "  again:\n    tunnel-interface: tunnel.2\n    manual-key:\n"
         + _MANUAL.replace("remote-spi: ", "remote-spi: ▶").replace("192.0.2.9", "192.0.2.8")),
    Case("ALGORITHMS", _by_hand().replace("{env: PSK}}}", "▶{env: PSK}}}").replace("sha256, key", "sha1, key")),
    Case("WEAK-ALGORITHM", _by_hand().replace("algorithm: sha256", "algorithm: ▶md5")),
    Case("WEAK-ALGORITHM", _by_hand().replace(
        _MANUAL_AH, "esp: ▶{encryption: {algorithm: aes-256-cbc, key: {env: PSK}}}"
    )),
)  # fmt: skip
