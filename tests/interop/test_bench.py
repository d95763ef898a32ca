"""The bench proves itself before anything of ours stands on it: strongSwan against strongSwan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.bench import LEFT, LEFT_LANS, RIGHT, RIGHT_LANS, Bench
from tests.interop.strongswan import Child, Connection, Strongswan

pytestmark = pytest.mark.interop


def test_two_strongswans_carry_pings_between_their_lans(bench: Bench, strongswan: Strongswan, tmp_path: Path) -> None:
    left, right = Strongswan(bench.left, tmp_path / "left"), strongswan
    try:
        assert bench.pings(count=1) == (0, 0)
        left.load(_connection(str(LEFT), str(RIGHT), "left", "right", str(LEFT_LANS[0]), str(RIGHT_LANS[0])))
        right.load(_connection(str(RIGHT), str(LEFT), "right", "left", str(RIGHT_LANS[0]), str(LEFT_LANS[0])))
        left.initiate("lan")
        assert bench.pings() == (4, 4)
        (sa,) = left.child_sas()
        (other,) = right.child_sas()
        assert (sa["spi-in"], sa["spi-out"]) == (other["spi-out"], other["spi-in"])
        assert sa["encr-alg"] == "AES_GCM_16"
        left.terminate(child="lan")
        assert not left.child_sas()
        assert not right.child_sas()
    finally:
        left.stop()


def _connection(local: str, remote: str, local_id: str, remote_id: str, local_ts: str, remote_ts: str) -> Connection:
    return Connection(
        name="site",
        local=local,
        remote=remote,
        local_id=local_id,
        remote_id=remote_id,
        key="correct horse",
        proposals="aes128gcm16-prfsha256-x25519",
        children=(Child("lan", local_ts, remote_ts, "aes128gcm16-x25519"),),
    )
