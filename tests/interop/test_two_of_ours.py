"""Two of our gateways, each in its namespace: plain ESP, ESP in UDP, and what the wire saw."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from isthmus.lab.capture import Capture, Kind, judge
from isthmus.lab.traffic import lines, move
from tests.interop.bench import LEFT_LANS, RIGHT_LANS, Bench
from tests.interop.echo import answered
from tests.interop.ours import SUITES, Suite, ours
from tests.interop.pairing import running, two_of_ours

pytestmark = pytest.mark.interop

_INNER = frozenset(lan[n] for lan in (*LEFT_LANS, *RIGHT_LANS) for n in (1, 2))


@pytest.mark.parametrize(
    ("encapsulation", "shown", "on_the_wire"),
    [("esp", "none", Kind.ESP), ("udp", "udp", Kind.ESP_IN_UDP), ("auto", "udp", Kind.ESP_IN_UDP)],
)
def test_esp_travels_as_configured(
    bench: Bench, tmp_path: Path, encapsulation: str, shown: str, on_the_wire: Kind
) -> None:
    sites = two_of_ours(encapsulation=encapsulation)
    with Capture(bench.middle) as capture, running(bench, tmp_path, sites) as (gateway, _):
        assert bench.pings(0) == (4, 4)
        assert bench.pings(1, size=1400) == (4, 4)
        assert {row["encapsulation"] for row in gateway.table("show", "ipsec-sa")} == {shown}
        verdict = judge(capture.stop(), _INNER, [])
    assert verdict.sealed
    assert verdict.kinds[on_the_wire] >= 16
    assert set(verdict.kinds) <= {on_the_wire, Kind.IKE, Kind.LINK, Kind.ICMP_ERROR}


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_file_crosses_whole_and_unreadable(bench: Bench, tmp_path: Path, suite: Suite) -> None:
    with Capture(bench.middle) as capture, running(bench, tmp_path, two_of_ours(suite)):
        done = move(
            lines("not for the wire", 1 << 20),
            here=bench.left_host,
            source=IPv4Address(LEFT_LANS[0][2]),
            there=bench.right_host,
            destination=IPv4Address(RIGHT_LANS[0][2]),
            port=8080,
        )
        seen = capture.stop()
    verdict = judge(seen, _INNER, [b"not for the wire"])
    assert done.intact
    assert verdict.sealed
    assert verdict.kinds[Kind.ESP_IN_UDP] > 0
    # Between namespaces a train of datagrams stays one, so octets count.
    assert sum(len(packet.octets) for packet in seen) > 1 << 20


def test_nothing_leaves_in_the_clear_while_the_tunnel_is_down(bench: Bench, tmp_path: Path) -> None:
    left, _ = two_of_ours()
    with Capture(bench.middle) as capture, ours(left, bench.left, tmp_path / "left") as gateway:
        gateway.await_answers()
        assert answered(bench.left_host, str(LEFT_LANS[0][2]), str(RIGHT_LANS[0][2])) == 0
        verdict = judge(capture.stop(), _INNER, [])
    assert verdict.kinds[Kind.IKE] > 0
    assert verdict.exposed == ()


def test_nothing_leaves_in_the_clear_after_a_kill(bench: Bench, tmp_path: Path) -> None:
    with running(bench, tmp_path, two_of_ours()) as (gateway, _):
        assert answered(bench.left_host, str(LEFT_LANS[0][2]), str(RIGHT_LANS[0][2])) == 4
        with Capture(bench.middle) as capture:
            gateway.kill()
            assert answered(bench.left_host, str(LEFT_LANS[0][2]), str(RIGHT_LANS[0][2])) == 0
            assert judge(capture.stop(), _INNER, []).exposed == ()
