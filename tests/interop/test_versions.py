"""Where IKEv2 is preferred and IKEv1 will do: a strongSwan that has the one, the other, and later more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.interop.bench import Bench
from tests.interop.ours import ours
from tests.interop.pairing import our_side
from tests.interop.patience import until
from tests.interop.strongswan import Strongswan
from tests.interop.test_ikev1 import STRONG, there

pytestmark = pytest.mark.interop

_IKEV1 = "    ikev1: {ike-crypto-profile: suite, exchange-mode: main}\n"


@pytest.mark.parametrize("has", [1, 2])
def test_a_peer_that_has_one_version_is_spoken_with_in_it(
    bench: Bench, strongswan: Strongswan, tmp_path: Path, has: int
) -> None:
    strongswan.load(replace(there(), version=has))
    prefers = replace(our_side(STRONG, proxy_ids=1), version="ikev2-preferred", gateway=_IKEV1)
    with ours(prefers, bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        assert gateway.ask("test", "ike-sa", "there").status == 0
        until(lambda: len(strongswan.child_sas()) == 1)
        strongswan.await_routes()
        assert bench.pings(0) == (4, 4)
        assert [row["version"] for row in gateway.table("show", "ike-sa")] == [f"ikev{has}"]
        assert ("ike.older-version" in gateway.ask("show", "events", "--json").text) == (has == 1)
        # As responder it takes what the peer has.
        strongswan.terminate(ike="there")
        strongswan.load(replace(there(), version=3 - has))
        strongswan.initiate("one")
        until(lambda: f"ikev{3 - has}" in [row["version"] for row in gateway.table("show", "ike-sa")])
