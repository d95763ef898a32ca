"""IKE version 1 with libreswan, whose ESP is the kernel's own: Main Mode and Quick Mode, from both ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from isthmus.cli.client import Client
from tests.interop.bench import LEFT, LEFT_LANS, RIGHT, RIGHT_LANS, Bench
from tests.interop.ours import KEY, ours
from tests.interop.pairing import OUR_ID, THEIR_ID
from tests.interop.patience import until
from tests.interop.test_ikev1 import here
from tests.vm.inside.libreswan import Libreswan, missing

_CONNECTION = f"""
conn there
  left={RIGHT}
  leftid=@{THEIR_ID}
  leftsubnet={RIGHT_LANS[0]}
  right={LEFT}
  rightid=@{OUR_ID}
  rightsubnet={LEFT_LANS[0]}
  authby=secret
  ikev2=no
  ike=aes256-sha2_256;modp2048
  esp=aes256-sha2_256;modp2048
  auto=ignore
"""


@pytest.fixture
def libreswan(bench: Bench) -> Iterator[Libreswan]:
    if (why := missing()) is not None:
        pytest.skip(why)
    peer = Libreswan(bench.right, _CONNECTION, KEY)
    peer.load("there")
    yield peer
    peer.stop()


def test_main_mode_and_quick_mode_carry_traffic_whoever_begins(
    bench: Bench, libreswan: Libreswan, tmp_path: Path
) -> None:
    site = replace(here(), lans=LEFT_LANS[:1], peer_lans=RIGHT_LANS[:1], start="on-demand")
    with ours(site, bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        client = Client(gateway.socket)
        libreswan.initiate("there")
        _carries(bench, libreswan, client, "responder")
        libreswan.whack("--terminate", "--name", "there")
        until(lambda: not client.rows("/v1/ike-sa"))
        # The first packet asks for it, and waits.
        _carries(bench, libreswan, client, "initiator")
        (before,) = client.rows("/v1/ipsec-sa")
        client.order("rekey", "ipsec-sa", "there:one", wait=20.0)
        client.order("rekey", "ike-sa", "there", wait=20.0)
        assert {row["spi_in"] for row in client.rows("/v1/ipsec-sa")} - {before["spi_in"]}
        assert bench.pings(0) == (4, 4)


def _carries(bench: Bench, libreswan: Libreswan, client: Client, role: str) -> None:
    until(lambda: bench.pings(0) == (4, 4), what=lambda: libreswan.log)
    (ike,) = client.rows("/v1/ike-sa")
    assert (ike["version"], ike["role"], ike["nat"]) == ("ikev1", role, "none")
    assert ike["remote_id"] == f"fqdn:{THEIR_ID}"
    (child,) = client.rows("/v1/ipsec-sa")
    assert (child["encapsulation"], child["integrity_failed"], child["replayed"]) == ("none", 0, 0)
    assert child["packets_in"]
    assert child["packets_out"]
