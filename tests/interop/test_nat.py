"""A router that translates addresses in the middle, and loses its mappings while traffic flows."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from isthmus.lab.gateways import RunningGateway
from tests.interop.bench import Bench
from tests.interop.middle import forget_mappings, translate
from tests.interop.ours import ours
from tests.interop.pairing import our_side, running, their_side, two_of_ours
from tests.interop.patience import until
from tests.interop.stream import Stream
from tests.interop.strongswan import Strongswan

pytestmark = pytest.mark.interop

_KEEP_ALIVE = 10.0
"""The shortest that can be configured."""
_NAT = f"    nat-traversal: {{keep-alive: {_KEEP_ALIVE:.0f}s}}"
_RATE = 200.0
_SPARE = 1.0


@pytest.mark.parametrize("rates", [(_RATE, _RATE), (_RATE, 0.0), (0.0, _RATE)], ids=["both", "rightward", "leftward"])
def test_two_of_ours_follow_a_mapping_that_moved(bench: Bench, tmp_path: Path, rates: tuple[float, float]) -> None:
    left, right = two_of_ours()
    sites = dataclasses.replace(left, gateway=_NAT), dataclasses.replace(right, peer="dynamic")
    translate(bench)
    with running(bench, tmp_path, sites) as (here, there):
        assert [row["nat"] for row in here.table("show", "ike-sa")] == ["local"]
        assert [row["nat"] for row in there.table("show", "ike-sa")] == ["remote"]
        before = _sas(here)
        _loses_a_moment(bench, tmp_path, there, rates)
        assert _sas(here) == before


def test_strongswan_follows_our_mapping_that_moved(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    strongswan.load(dataclasses.replace(their_side(), remote="%any"))
    translate(bench)
    with ours(dataclasses.replace(our_side(), gateway=_NAT), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        before = {row["established_at"] for row in gateway.table("show", "ike-sa")}
        with Stream.over(bench, tmp_path, rates=(_RATE, _RATE)) as stream:
            time.sleep(1)
            forgotten = time.monotonic()
            forget_mappings(bench)
            time.sleep(_KEEP_ALIVE + _SPARE)
            accounts = stream.stop()
        print(f"traffic back {accounts.back_after(forgotten):.2f} s after the mapping was lost\n{accounts}")
        assert accounts.back_after(forgotten) < _KEEP_ALIVE + _SPARE, str(accounts)
        # Its user-space ESP cannot move an SA: it rekeys the Child SAs instead, on the IKE SA that followed.
        assert {row["established_at"] for row in gateway.table("show", "ike-sa")} == before


def _loses_a_moment(bench: Bench, home: Path, seer: RunningGateway, rates: tuple[float, float]) -> None:
    """The mapping goes away under traffic; the traffic comes back within one keep-alive."""
    seen = _remote(seer)
    with Stream.over(bench, home, rates=rates) as stream:
        time.sleep(1)
        forgotten = time.monotonic()
        forget_mappings(bench)
        until(lambda: _remote(seer) != seen, _KEEP_ALIVE + _SPARE, seer.story)
        time.sleep(0.5)
        accounts = stream.stop()
    back = [
        account.back_after(forgotten)
        for account, rate in zip((accounts.rightward, accounts.leftward), rates, strict=True)
        if rate
    ]
    print(f"traffic back {', '.join(f'{b:.2f}' for b in back)} s after the mapping was lost\n{accounts}")
    assert max(back) < _KEEP_ALIVE + _SPARE, str(accounts)


def _remote(gateway: RunningGateway) -> object:
    (row,) = gateway.table("show", "ike-sa")
    return row["remote"]


def _sas(gateway: RunningGateway) -> set[object]:
    return {row["spi_in"] for row in gateway.table("show", "ipsec-sa")}
