"""Which post-quantum pre-shared key is named, and how. RFC 8784."""

from __future__ import annotations

from dataclasses import replace

from isthmus.engine.ikev2 import ppk
from isthmus.engine.ledger import Ledger
from isthmus.engine.surroundings import Surroundings
from isthmus.model.plan import Plan, PostquantumKeys, PpkMode
from isthmus.model.secret import Secret
from isthmus.sim.plans import EAST, WEST, plan_of
from tests.engine.table import Dice

KEYS = PostquantumKeys(PpkMode.PREFERRED, {f"key{n}".encode(): Secret(bytes([n]) * 32) for n in range(10)})
PEER = replace(next(iter(plan_of(EAST, WEST).peers.values())), ppk=KEYS)


def test_any_of_the_keys_may_be_chosen() -> None:
    chosen = {ppk.choose(Ledger(Plan(), Surroundings(Dice(seed))), PEER, KEYS) for seed in range(200)}
    assert chosen == set(KEYS.keys)


def test_the_one_that_served_is_kept_while_it_is_configured() -> None:
    ledger = Ledger(Plan(), Surroundings(Dice()))
    ledger.ppks[PEER.name] = b"key7"
    assert {ppk.choose(ledger, PEER, KEYS) for _ in range(50)} == {b"key7"}
    fewer = PostquantumKeys(PpkMode.PREFERRED, {b"key1": Secret(b"one")})
    assert ppk.choose(ledger, PEER, fewer) == b"key1"


def test_an_id_goes_over_the_wire_as_fixed_and_comes_back() -> None:
    assert ppk.payload(b"one") == b"\x02one"
    assert ppk.fixed_id(b"\x02one") == b"one"


def test_an_id_of_another_type_is_none_that_we_know() -> None:
    assert ppk.fixed_id(b"\x01one") is None
    assert ppk.fixed_id(b"") is None


def test_whatever_octets_an_id_has_it_can_be_shown() -> None:
    assert ppk.named((b"one", b"\x00\x1b[31m\xff")) == ("PPK one", "PPK \\x00\\x1b[31m\\xff")
