from __future__ import annotations

from collections.abc import Iterator

import pytest

from isthmus.network.watch import Watch
from tests.network.namespace import Namespace, needs_root

pytestmark = needs_root


@pytest.fixture
def watch(host: Namespace) -> Iterator[Watch]:
    listening = host.run(Watch)
    yield listening
    listening.close()


def test_silence_is_no_change(watch: Watch) -> None:
    assert not watch.changed()
    assert not watch.changed()


@pytest.mark.parametrize(
    "command",
    [
        "ip tuntap add tunnel.1 mode tun",
        "ip link set lo mtu 1400",
        "ip addr add 192.0.2.1/32 dev lo",
        "ip addr add fd00::1/128 dev lo",
        "ip route add blackhole 10.2.0.0/16",
        "ip route add blackhole fd02::/64",
        "nft add table inet other",
        "nft flush ruleset; nft add table inet other; nft delete table inet other",
    ],
)
def test_each_kind_of_change_is_heard_once(host: Namespace, watch: Watch, command: str) -> None:
    host.shell(command)
    assert watch.changed()
    assert not watch.changed()


def test_a_flood_of_changes_is_a_change(host: Namespace, watch: Watch) -> None:
    host.shell("for i in $(seq 250); do echo route add blackhole 10.2.$i.0/24; done > /dev/shm/isthmus-routes")
    host.shell("for n in $(seq 20); do ip -batch /dev/shm/isthmus-routes; ip route flush type blackhole; done")
    host.shell("rm /dev/shm/isthmus-routes")
    assert watch.changed()
    assert not watch.changed()
