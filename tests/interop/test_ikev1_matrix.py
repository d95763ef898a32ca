"""IKE version 1 with strongSwan, every suite: 150 of phase 1, each ESP suite, each group of its own, with traffic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from isthmus.lab.gateways import RunningGateway
from tests.interop import matrix
from tests.interop.bench import Bench
from tests.interop.patience import until
from tests.interop.strongswan import Strongswan, missing

pytestmark = pytest.mark.interop

_LIMIT = 120.0


@pytest.fixture
def strongswan(bench: Bench, tmp_path: Path) -> Iterator[Strongswan]:
    """One that takes as many set-ups from one address as come."""
    if (why := missing()) is not None:
        pytest.skip(f"no strongSwan: {why}")
    peer = Strongswan(bench.right, tmp_path / "strongswan", settings="dos_protection = no")
    yield peer
    peer.stop()


@pytest.mark.parametrize("who", ["we-begin", "the-peer-begins"])
def test_every_suite_carries_traffic(bench: Bench, strongswan: Strongswan, tmp_path: Path, who: str) -> None:
    """Half of them in Aggressive Mode, the other half where the other end begins."""
    we_begin = who == "we-begin"
    table = matrix.rows(aggressive_first=we_begin)
    matrix.prepare(bench, table)
    strongswan.load(*matrix.theirs(table))
    configuration = matrix.ours(table, tmp_path / "ours", passive=not we_begin)
    with RunningGateway("left", bench.left, configuration, tmp_path / "ours") as gateway:
        gateway.await_answers()
        if not we_begin:
            strongswan.initiate_all(row.name for row in table)
        gateway.await_tunnels(_LIMIT)
        until(lambda: len(strongswan.child_sas()) == len(table))
        silent = list(table)
        until(lambda: not _ping(bench, silent), what=lambda: [row.name for row in silent])
        _as_configured(gateway, table, role="initiator" if we_begin else "responder")


def _ping(bench: Bench, silent: list[matrix.Row]) -> list[matrix.Row]:
    """Asks those that have not answered yet; a suite that does not fit never does."""
    answered = matrix.pinged(bench, silent)
    silent[:] = [row for row in silent if not answered.get(row.name)]
    return silent


def _as_configured(gateway: RunningGateway, table: tuple[matrix.Row, ...], role: str) -> None:
    ikes = {row["gateway"]: row for row in gateway.table("show", "ike-sa")}
    children = {row["tunnel"]: row for row in gateway.table("show", "ipsec-sa")}
    for row in table:
        ike, child = ikes[row.name], children[row.name]
        assert (ike["encryption"], ike["prf"], ike["dh_group"], ike["role"]) == (*row.ike, role), row
        integrity = None if row.esp[1] == "none" else row.esp[1]
        assert (child["encryption"], child["integrity"], child["dh_group"]) == (row.esp[0], integrity, row.pfs), row
        assert child["packets_in"], row
        assert child["packets_out"], row
        assert (child["integrity_failed"], child["replayed"]) == (0, 0), row
