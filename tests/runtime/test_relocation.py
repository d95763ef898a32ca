from dataclasses import replace
from ipaddress import ip_address

from isthmus.model.address import Address
from isthmus.model.identity import Identity
from isthmus.model.plan import Plan
from isthmus.runtime.relocation import relocated
from isthmus.sim.plans import EAST, WEST, plan_of
from tests.engine.test_manual import AH

OLD, NEW = ip_address(EAST.address), ip_address("192.0.2.200")


def plan(*, follows: bool = True, local_id: Identity | None = None) -> Plan:
    made = plan_of(EAST, WEST)
    peer = replace(made.peers["west"], local_is_interfaces=follows)
    return replace(made, peers={"west": replace(peer, local_id=local_id or peer.local_id)})


def local(*addresses: str, of: Plan) -> Address | None:
    """Where the gateway goes when its interface has these addresses."""
    moved = relocated(of, lambda interface: tuple(map(ip_address, addresses)) if interface == "eth0" else ())
    return moved.peers["west"].local if moved else None


def test_a_gateway_follows_its_interface_to_the_new_address() -> None:
    assert local(str(NEW), of=plan()) == NEW


def test_only_the_address_changes_so_that_the_sas_that_stand_may_go_along() -> None:
    before = plan()
    moved = relocated(before, lambda _: (NEW,))
    assert moved is not None
    assert moved.peers["west"] == replace(before.peers["west"], local=NEW)


def test_an_address_beside_the_old_one_moves_nobody() -> None:
    assert local(str(OLD), str(NEW), of=plan()) is None
    assert local(str(NEW), str(OLD), of=plan()) is None


def test_while_there_is_none_it_waits() -> None:
    assert local(of=plan()) is None


def test_link_local_addresses_and_those_of_the_other_family_are_none() -> None:
    assert local("169.254.1.1", "2001:db8::1", of=plan()) is None
    assert local("169.254.1.1", "2001:db8::1", str(NEW), of=plan()) == NEW


def test_a_configured_address_stays_whatever_the_interface_has() -> None:
    assert local(str(NEW), of=plan(follows=False)) is None


def test_an_identity_that_is_the_address_changes_with_it() -> None:
    moved = relocated(plan(local_id=Identity.of_address(OLD)), lambda _: (NEW,))
    assert moved is not None
    assert moved.peers["west"].local_id == Identity.of_address(NEW)


def test_keys_by_hand_go_along_where_no_address_is_configured() -> None:
    follows = replace(AH, local=OLD, local_is_interfaces=True)
    moved = relocated(Plan(manual={"legacy": follows}), lambda _: (NEW,))
    assert moved is not None
    assert moved.manual["legacy"] == replace(follows, local=NEW)
    assert relocated(Plan(manual={"legacy": replace(follows, local_is_interfaces=False)}), lambda _: (NEW,)) is None
