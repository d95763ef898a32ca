"""What is read, checked, and refused at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.config.load import load
from isthmus.config.tree import find
from isthmus.config.unsupported import UNSUPPORTED, Row
from tests.config.writing import SOUND, changed, codes_of, problems_of, unmarked

_FULL = Path(__file__).parent / "full.yaml"
_ROUTE = "{destination: 10.2.0.0/16, interface: tunnel.1}"
_MONITORED = f"{_ROUTE[:-1]}, ▶path-monitor: {{destinations: [{{destination: 10.2.0.1}}]}}}}"
_BY_CERTIFICATE = "{▶certificate: hq, certificate-profile: partners}"
_EXAMPLES = {
    "virtual-routers/*": changed(("  default:\n", "  ▶blue: {}\n  default:\n")),
    "virtual-routers/*/static-routes/*/path-monitor": changed((_ROUTE, _MONITORED)),
    "security-policies": SOUND
    + "▶security-policies: [{name: out, from: [any], to: [vpn], source: [any], destination: [10.2.0.0/16],\n"
    + "  service: [tcp/443, icmp, udp/500-510], action: allow}]\n",
    "certificates": SOUND + "▶certificates: {hq: {certificate: hq.pem, private-key: {file: hq.key}}}\n",
    "certificate-profiles": SOUND + "▶certificate-profiles: {partners: {ca: [root.pem]}}\n",
    "monitor-profiles": SOUND + "▶monitor-profiles: {quick: {interval: 2s, threshold: 2, action: fail-over}}\n",
    "ike-gateways/*/authentication/certificate": changed(
        ("{pre-shared-key: {env: PSK}}", _BY_CERTIFICATE),
        ("ike-gateways:", "certificates: {hq: {certificate: a.pem, private-key: {file: a.key}}}\nike-gateways:"),
        ("ike-gateways:", "certificate-profiles: {partners: {ca: [root.pem]}}\nike-gateways:"),
    ),
    "ipsec-tunnels/*/monitor": SOUND.replace(
        "    proxy-ids:", "    ▶monitor: {destination: 10.255.0.2}\n    proxy-ids:"
    ),
}


def test_the_example_of_the_design_is_refused_for_its_unsupported_lines_and_nothing_else() -> None:
    told = [
        (problem.place.line, problem.place.column, problem.code.name, problem.text.rpartition(": ")[2])
        for problem in load(_FULL, {"PSK": ""}).problems
        if problem.code.name not in ("ZONES-NOT-ENFORCED", "NO-SECRET", "MANUAL-KEY", "WEAK-ALGORITHM")
    ]
    assert told == [
        (20, 16, "NOT-SUPPORTED", "path monitoring"),
        (22, 1, "NOT-SUPPORTED", "security policies"),
        (31, 1, "NOT-SUPPORTED", "certificates"),
        (33, 1, "NOT-SUPPORTED", "certificates"),
        (65, 5, "NOT-SUPPORTED", "tunnel monitoring"),
        (71, 1, "NOT-SUPPORTED", "tunnel monitoring"),
    ]


@pytest.mark.parametrize("row", UNSUPPORTED, ids=lambda row: row.path)
def test_every_row_refuses_its_option_at_its_place(row: Row) -> None:
    text, place = unmarked(_EXAMPLES[row.path])
    refused = [p for p in problems_of(text) if p.code.name == "NOT-SUPPORTED" and row.what in p.text]
    assert place in [(p.place.line, p.place.column) for p in refused]


@pytest.mark.parametrize("row", UNSUPPORTED, ids=lambda row: row.path)
def test_every_row_is_refused_for_nothing_but_what_is_missing(row: Row) -> None:
    text, _ = unmarked(_EXAMPLES[row.path])
    assert set(codes_of(text)) - {"WEAK-ALGORITHM"} == {"NOT-SUPPORTED"}


def test_what_is_empty_asks_for_nothing() -> None:
    assert codes_of(SOUND + "certificates: {}\nsecurity-policies: []\nmonitor-profiles:\n") == []


def test_an_unused_block_for_ikev1_is_read_and_not_refused() -> None:
    block = "    ikev1: {exchange-mode: main, ike-crypto-profile: legacy-default, dpd: {interval: 10s, retry: 3}}\n"
    assert codes_of(changed(("    interface: eth0\n", f"    interface: eth0\n{block}"))) == []
    assert codes_of(changed(("    interface: eth0\n", f"    interface: eth0\n{block.replace('10s', '1s')}"))) == [
        "OUT-OF-RANGE"
    ]


def test_patterns_find_what_they_name() -> None:
    from isthmus.config.parse import parse
    from isthmus.config.problems import Problems

    root = parse("a: {b: {c: 1}, d: {c: 2}, e: 3}\n", "f", Problems())
    assert root is not None
    assert [path for path, _, _ in find(root, "a/*/c")] == [("a", "b", "c"), ("a", "d", "c")]
