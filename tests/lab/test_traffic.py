from __future__ import annotations

from ipaddress import ip_address, ip_interface

from isthmus.lab.namespaces import Namespace, Playground
from isthmus.lab.traffic import lines, move, ping

_LEFT = {4: ip_address("10.1.0.1"), 6: ip_address("fd00::1")}
_RIGHT = {4: ip_address("10.1.0.2"), 6: ip_address("fd00::2")}


def _pair(playground: Playground) -> tuple[Namespace, Namespace]:
    left, right = playground.namespace("left"), playground.namespace("right")
    left.cable("eth0", right, "eth0")
    for version, length in ((4, 24), (6, 64)):
        left.address("eth0", ip_interface(f"{_LEFT[version]}/{length}"))
        right.address("eth0", ip_interface(f"{_RIGHT[version]}/{length}"))
    return left, right


def test_pings_are_answered_in_both_ip_versions(playground: Playground) -> None:
    left, _ = _pair(playground)
    for version in (4, 6):
        assert len(ping(left, _LEFT[version], _RIGHT[version], 2)) == 2


def test_an_unanswered_ping_is_not_counted(playground: Playground) -> None:
    left, _ = _pair(playground)
    assert ping(left, _LEFT[4], ip_address("10.1.0.77"), 1, wait=0.1) == ()
    assert ping(left, _LEFT[4], ip_address("203.0.113.1"), 1, wait=0.1) == ()


def test_a_file_arrives_whole(playground: Playground) -> None:
    left, right = _pair(playground)
    content = lines("marker", 1 << 20)
    done = move(content, here=left, source=_LEFT[6], there=right, destination=_RIGHT[6], port=8080)
    assert done.intact
    assert done.octets == len(content)


def test_a_file_that_cannot_arrive_is_not_intact(playground: Playground) -> None:
    left, _ = _pair(playground)
    elsewhere = playground.namespace("elsewhere")
    elsewhere.address("lo", ip_interface("203.0.113.1/32"))
    done = move(b"x", here=left, source=_LEFT[4], there=elsewhere, destination=ip_address("203.0.113.1"), port=8080)
    assert not done.intact


def test_every_line_of_the_file_is_marked() -> None:
    text = lines("marker", 1000)
    assert all(line.endswith(b" marker") for line in text.splitlines())
    assert len(set(text.splitlines())) == len(text.splitlines())
