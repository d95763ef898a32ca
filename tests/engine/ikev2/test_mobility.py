from dataclasses import replace
from ipaddress import ip_address

import pytest

from isthmus.engine.commands import Apply
from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.exchanges import INFORMATIONAL
from isthmus.engine.ikev2.steps.inform import Notice
from isthmus.engine.ledger import Ledger
from isthmus.engine.nat import detection_hash
from isthmus.engine.outputs import Program
from isthmus.engine.refusal import Refusal
from isthmus.engine.surroundings import Surroundings
from isthmus.events.ike import IkeDeleted, IkeMoved
from isthmus.model.address import Endpoint
from isthmus.model.identity import Identity
from isthmus.model.plan import NatTraversal, Plan
from isthmus.model.quantities import IkeSpi
from isthmus.model.sa_spec import UpdateSa
from isthmus.sim.plans import EAST, WEST, plan_of
from isthmus.wire.ikev2.header import decode_header
from isthmus.wire.ikev2.payloads import Notify, Payload
from isthmus.wire.registry import NotifyType
from tests.engine.table import Dice, Seat, carry, connected, converse, seat

HERE, THERE = Endpoint(ip_address("198.51.100.2"), 4500), Endpoint(ip_address("192.0.2.1"), 4500)
ELSEWHERE = Endpoint(ip_address("203.0.113.66"), 4500)
UPDATE = Notify(NotifyType.UPDATE_SA_ADDRESSES)
NEW_EAST = "192.0.2.200"


def ike_sa(*, began_here: bool = False, agreed: bool = True) -> IkeSa:
    sa = IkeSa(Ledger(Plan(), Surroundings(Dice())), IkeSpi(b"ours ..."), HERE, THERE, began_here=began_here)
    sa.their_spi = IkeSpi(b"theirs .")
    sa.mobility.agreed = agreed
    return sa


def hear(notice: Notice, *payloads: Payload, leg: int = 0, remote: Endpoint = THERE) -> list[Payload]:
    """What is answered to a request, or nothing to a response."""
    run = Run(INFORMATIONAL, notice)
    inbound = Inbound(payloads)
    inbound.path = HERE, remote
    if leg == 1:
        run.speak(0)
    run.hear(leg, inbound)
    return run.speak(1) if leg == 0 else []


def test_the_original_initiator_may_say_which_addresses_are_used() -> None:
    notice = Notice(ike_sa())
    hear(notice, UPDATE, remote=ELSEWHERE)
    assert notice.moves
    assert notice.path == (HERE, ELSEWHERE)


def test_the_original_responder_may_not() -> None:
    notice = Notice(ike_sa(began_here=True))
    hear(notice, UPDATE, remote=ELSEWHERE)
    assert not notice.moves


def test_without_agreement_nobody_may_and_nothing_is_echoed() -> None:
    notice = Notice(ike_sa(agreed=False))
    assert hear(notice, UPDATE, Notify(NotifyType.COOKIE2, b"12345678"), remote=ELSEWHERE) == []
    assert not notice.moves


def test_cookie2_goes_back_as_it_came() -> None:
    cookie = Notify(NotifyType.COOKIE2, b"eight or more")
    assert hear(Notice(ike_sa()), cookie) == [cookie]


@pytest.mark.parametrize("answer", [(), (Notify(NotifyType.COOKIE2, b"87654321"),)])
def test_another_cookie2_or_none_is_no_proof(answer: tuple[Payload, ...]) -> None:
    notice = Notice(ike_sa(), cookie=b"12345678")
    hear(notice, *answer, leg=1)
    assert not notice.cookie_came_back


def test_the_same_cookie2_is_the_proof() -> None:
    notice = Notice(ike_sa(), cookie=b"12345678")
    hear(notice, Notify(NotifyType.COOKIE2, b"12345678"), leg=1)
    assert notice.cookie_came_back


def test_nat_is_detected_on_the_path_that_the_message_took() -> None:
    sa = ike_sa()
    spis = sa.initiator_spi, sa.responder_spi
    notice = Notice(sa)
    said = hear(
        notice,
        Notify(NotifyType.NAT_DETECTION_SOURCE_IP, detection_hash(*spis, THERE)),
        Notify(NotifyType.NAT_DETECTION_DESTINATION_IP, detection_hash(*spis, HERE)),
        remote=ELSEWHERE,
    )
    assert notice.nat is not None
    assert str(notice.nat) == "remote"
    assert Notify(NotifyType.NAT_DETECTION_DESTINATION_IP, detection_hash(*spis, ELSEWHERE)) in said


def test_who_forbids_nat_is_told_of_one() -> None:
    addresses = THERE.address.packed + HERE.address.packed
    ports = THERE.port.to_bytes(2) + HERE.port.to_bytes(2)
    ban = Notify(NotifyType.NO_NATS_ALLOWED, addresses + ports)
    hear(Notice(ike_sa()), ban)
    with pytest.raises(Refusal) as refusal:
        hear(Notice(ike_sa()), ban, remote=ELSEWHERE)
    assert refusal.value.notify == NotifyType.UNEXPECTED_NAT_DETECTED


def test_additional_addresses_are_remembered_and_none_is_said_too() -> None:
    notice = Notice(ike_sa())
    hear(
        notice,
        Notify(NotifyType.ADDITIONAL_IP4_ADDRESS, bytes((192, 0, 2, 9))),
        Notify(NotifyType.ADDITIONAL_IP6_ADDRESS, bytes(15) + b"\1"),
    )
    assert notice.addresses == (ip_address("192.0.2.9"), ip_address("::1"))
    notice = Notice(ike_sa())
    hear(notice, Notify(NotifyType.NO_ADDITIONAL_ADDRESSES))
    assert notice.addresses == ()
    notice = Notice(ike_sa())
    hear(notice)
    assert notice.addresses is None


def move_east(east: Seat) -> None:
    east.command(Apply(plan_of(replace(EAST, address=NEW_EAST), WEST)))


def outbound_moves(seat: Seat) -> list[Endpoint]:
    ops = [program.op for program in seat.told(Program)]
    return [op.remote for op in ops if isinstance(op, UpdateSa) and op.id.direction.name == "OUTBOUND"]


def test_no_traffic_follows_before_the_new_address_has_answered() -> None:
    east, west = connected()
    before = len(outbound_moves(west))
    move_east(east)
    carry(east.take(), west)
    assert len(outbound_moves(west)) == before
    assert len(west.sent) == 2, "the response, and the request that asks for the proof"
    carry(west.take(), east)
    carry(east.take(), west)
    assert outbound_moves(west)[-1].address == ip_address(NEW_EAST)
    assert len(west.told(IkeMoved)) == 1


def test_an_announcement_that_comes_again_is_answered_again_and_moves_nothing_twice() -> None:
    east, west = connected()
    move_east(east)
    (update,) = east.take()
    carry([update], west)
    first = [sent.octets for sent in west.take() if decode_header(sent.octets).response]
    carry([update], west)
    assert [again.octets for again in west.take()] == first


def test_without_mobike_a_new_address_begins_anew() -> None:
    party = replace(EAST, nat_traversal=NatTraversal(enabled=False))
    east, west = connected(party, replace(WEST, knows="dynamic"))
    east.command(Apply(plan_of(replace(party, address=NEW_EAST), WEST)))
    converse(east, west)
    assert east.told(IkeDeleted)
    assert [view.local.address for view in east.gateway.ike_sas()] == [ip_address(NEW_EAST)]


def test_a_gateway_that_is_identified_by_its_address_moves_too() -> None:
    plan = plan_of(EAST, WEST)

    def at(address: str) -> Plan:
        named = replace(
            plan.peers["west"], local=ip_address(address), local_id=Identity.of_address(ip_address(address))
        )
        return replace(plan, peers={"west": named})

    east = seat(at(EAST.address))
    expected = Identity.of_address(ip_address(EAST.address))
    there = plan_of(WEST, EAST)
    west = seat(replace(there, peers={"east": replace(there.peers["east"], peer_id=expected)}), 2)
    converse(east, west)
    (before,) = east.gateway.ike_sas()
    east.command(Apply(at(NEW_EAST)))
    converse(east, west)
    (after,) = east.gateway.ike_sas()
    assert after.initiator_spi == before.initiator_spi
    assert after.local.address == ip_address(NEW_EAST)
    assert after.local_id == str(expected), "what was proved stays until it is proved anew"
    assert west.told(IkeMoved)


def test_a_change_of_more_than_the_address_still_begins_anew() -> None:
    east, west = connected()
    changed = replace(EAST, address=NEW_EAST, psk=b"another one, for a change of mind")
    east.command(Apply(plan_of(changed, WEST)))
    converse(east, west)
    assert east.told(IkeDeleted)
