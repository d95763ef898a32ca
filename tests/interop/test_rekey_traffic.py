"""New keys under traffic in both directions: no packet is lost, and one SA pair is left.

The numbers are small, to be run often; ISTHMUS_FULL=1 takes 50 child rekeys, 10 IKE rekeys and 5 re-authentications
from each side.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.interop.bench import Bench
from tests.interop.ours import MODERN, Suite, ours
from tests.interop.pairing import our_side, running, their_side, two_of_ours
from tests.interop.patience import DRAINED, await_drained, order, their_sas, their_spis, until
from tests.interop.stream import Stream
from tests.interop.strongswan import Strongswan, missing

pytestmark = pytest.mark.interop

_FULL = os.environ.get("ISTHMUS_FULL") == "1"
_CHILD_REKEYS, _IKE_REKEYS, _REAUTHENTICATIONS = (50, 10, 5) if _FULL else (6, 2, 2)
"""From each side."""

_NO_FRESH_KEYS = Suite("no-pfs", MODERN.ike, MODERN.esp, MODERN.their_ike, MODERN.their_esp)


@pytest.mark.parametrize("pfs", [True, False], ids=["pfs", "no-pfs"])
def test_two_of_ours_lose_nothing_when_either_rekeys(bench: Bench, tmp_path: Path, pfs: bool) -> None:
    left, right = (dataclasses.replace(site, pfs=pfs) for site in two_of_ours())
    with running(bench, tmp_path, (left, right)) as ends, Stream.over(bench, tmp_path) as stream:
        for _ in range(_CHILD_REKEYS):
            for gateway in ends:
                order(gateway, "rekey", "ipsec-sa", "there:one")
        for _ in range(_IKE_REKEYS):
            for gateway in ends:
                order(gateway, "rekey", "ike-sa", "there")
        account = stream.stop()
        print(account)
        assert account.lost == (0, 0), str(account)
        await_drained(*ends)


def test_two_of_ours_lose_nothing_when_both_rekey_at_once(bench: Bench, tmp_path: Path) -> None:
    with running(bench, tmp_path, two_of_ours()) as ends, Stream.over(bench, tmp_path) as stream:
        for what in (("ipsec-sa", "there:one"),) * _CHILD_REKEYS + (("ike-sa", "there"),) * _IKE_REKEYS:
            with ThreadPoolExecutor(2) as at_once:
                list(at_once.map(order, ends, *([word] * 2 for word in ("rekey", *what))))
        account = stream.stop()
        print(account)
        assert account.lost == (0, 0), str(account)
        await_drained(*ends)


def test_two_of_ours_lose_nothing_when_either_reauthenticates(bench: Bench, tmp_path: Path) -> None:
    left, right = two_of_ours(right_passive=False)
    sites = left, dataclasses.replace(right, start="on-demand")
    with running(bench, tmp_path, sites) as ends, Stream.over(bench, tmp_path) as stream:
        for _ in range(_REAUTHENTICATIONS):
            for gateway in ends:
                order(gateway, "rekey", "ike-sa", "there", "--reauthenticate")
                await_drained(*ends)
        account = stream.stop()
        print(account)
        assert account.lost == (0, 0), str(account)


def test_strongswan_and_ours_lose_nothing_when_either_rekeys(
    bench: Bench, strongswan: Strongswan, tmp_path: Path
) -> None:
    strongswan.load(their_side())
    with ours(our_side(), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        overflowed = _overflowed(bench)
        with Stream.over(bench, tmp_path) as stream:
            for _ in range(_CHILD_REKEYS):
                order(gateway, "rekey", "ipsec-sa", "there:one")
                until(lambda: len(strongswan.child_sas()) == 2)
                _await_change(strongswan, lambda: strongswan.rekey(child="one"))
            for _ in range(_IKE_REKEYS):
                order(gateway, "rekey", "ike-sa", "there")
                until(lambda: len(strongswan.ike_sas()) == 1)
                _await_change(strongswan, lambda: strongswan.rekey(ike="there"))
            account = stream.stop()
        overflowed = _overflowed(bench) - overflowed
        print(f"{account}\n{overflowed} did not fit into their socket")
        assert account.lost == (overflowed, 0), str(account)
        await_drained(gateway)
        until(lambda: their_sas(strongswan) == (1, 2), DRAINED)


@pytest.mark.parametrize("who", ["ours", "theirs"])
def test_strongswan_and_ours_lose_nothing_when_one_reauthenticates(bench: Bench, tmp_path: Path, who: str) -> None:
    if (why := missing()) is not None:
        pytest.skip(f"no strongSwan: {why}")
    strongswan = Strongswan(bench.right, tmp_path / "strongswan", "make_before_break = yes")
    try:
        strongswan.load(their_side())
        with ours(our_side(), bench.left, tmp_path / "ours") as gateway:
            gateway.await_tunnels()

            def reauthenticate() -> None:
                if who == "ours":
                    order(gateway, "rekey", "ike-sa", "there", "--reauthenticate")
                else:
                    strongswan.reauthenticate("there")

            overflowed = _overflowed(bench)
            with Stream.over(bench, tmp_path) as stream:
                for _ in range(_REAUTHENTICATIONS):
                    _await_change(strongswan, reauthenticate)
                account = stream.stop()
            overflowed = _overflowed(bench) - overflowed
            print(f"{account}\n{overflowed} did not fit into their socket")
            assert account.lost == (overflowed, 0), str(account)
            await_drained(gateway)
            assert their_sas(strongswan) == (1, 2)
    finally:
        strongswan.stop()


def _overflowed(bench: Bench) -> int:
    """Datagrams that found their socket full: it holds an eighth of a second, and a busy machine stops for longer."""
    names, values = (
        line.split() for line in bench.right.run("cat", "/proc/net/snmp").stdout.splitlines() if line.startswith("Udp:")
    )
    return int(values[names.index("RcvbufErrors")])


def _await_change(strongswan: Strongswan, act: Callable[[], None]) -> None:
    """Until one IKE SA and two Child SAs carry, and they are not those that did before."""
    before = their_spis(strongswan)
    act()
    # Those that were replaced stay for some seconds, in another state.
    until(lambda: len(their_spis(strongswan)) == 3 and their_spis(strongswan) != before, DRAINED)
