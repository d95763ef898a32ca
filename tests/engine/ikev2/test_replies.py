"""The peer's half of the window. RFC 7296, 2.1 and 2.2."""

from dataclasses import replace

import pytest

from isthmus.engine.commands import RekeyIke
from isthmus.engine.outputs import SendDatagram
from isthmus.events.ike import IkeDeleted, IkeRekeyed
from isthmus.events.message import DatagramDropped, Retransmitted, Trigger
from isthmus.model.plan import Fragmentation
from isthmus.sim.plans import EAST, WEST
from isthmus.wire.ikev2.header import decode_header
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import ExchangeType, NotifyType
from tests.engine.ikev2.test_extras import say
from tests.engine.table import Seat, carry, connected, converse, two

WORD = Notify(NotifyType.MOBIKE_SUPPORTED)
LONG = ".".join(["a-long-label-of-a-long-name"] * 40)


def octets(datagrams: list[SendDatagram]) -> list[bytes]:
    return [datagram.octets for datagram in datagrams]


def last_drop(seat: Seat) -> Trigger:
    seat.wait(1.1)
    return seat.told(DatagramDropped)[-1].trigger


def test_a_replayed_request_gets_the_stored_response_octet_for_octet() -> None:
    east, west = connected()
    say(east, WORD)
    (request,) = east.take()
    carry([request], west)
    stored = octets(west.take())
    for _ in range(5):
        carry([request], west)
        assert octets(west.take()) == stored


def test_the_replay_is_answered_where_it_came_from() -> None:
    east, west = connected()
    say(east, WORD)
    (request,) = east.take()
    carry([request], west)
    west.take()
    carry([replace(request, local=request.local.with_port(1999))], west)
    assert [sent.remote.port for sent in west.take()] == [1999]


def test_a_request_before_the_last_is_dropped() -> None:
    east, west = connected()
    say(east, WORD)
    old = east.take()
    carry(old, west)
    carry(west.take(), east)
    say(east, WORD)
    carry(east.take(), west)
    west.take()
    carry(old, west)
    assert west.take() == []
    assert last_drop(west) == Trigger.OUTSIDE_WINDOW


def test_a_request_beyond_the_window_is_dropped_and_the_one_that_is_due_is_not() -> None:
    east, west = connected()
    say(east, WORD)
    (due,) = east.take()
    ahead = due.octets[:20] + (decode_header(due.octets).message_id + 1).to_bytes(4) + due.octets[24:]
    carry([replace(due, octets=ahead)], west)
    assert west.take() == []
    assert last_drop(west) == Trigger.OUTSIDE_WINDOW
    carry([due], west)
    assert len(west.take()) == 1


def test_other_content_under_the_number_of_the_last_request_is_not_answered() -> None:
    east, west = connected()
    say(east, WORD)
    (request,) = east.take()
    carry([request], west)
    west.take()
    forged = request.octets[:-1] + bytes([request.octets[-1] ^ 1])
    carry([replace(request, octets=forged)], west)
    assert west.take() == []


def test_a_response_to_nothing_is_dropped() -> None:
    east, west = connected()
    say(east, WORD)
    carry(east.take(), west)
    answer = west.take()
    carry(answer, east)
    carry(answer, east)
    assert last_drop(east) == Trigger.NOT_EXPECTED


def test_our_own_messages_that_come_back_are_dropped() -> None:
    east, west = connected()
    say(east, WORD)
    (request,) = east.take()
    east.receive(request.octets, request.remote, request.local)
    assert last_drop(east) == Trigger.UNKNOWN_SPI
    carry([request], west)
    (answer,) = west.take()
    west.receive(answer.octets, answer.remote, answer.local)
    assert last_drop(west) == Trigger.UNKNOWN_SPI


def test_with_the_spis_turned_round_they_are_still_not_ours_to_read() -> None:
    east, _ = connected()
    say(east, WORD)
    (request,) = east.take()
    turned = request.octets[8:16] + request.octets[:8] + request.octets[16:]
    east.receive(turned, request.remote, request.local)
    assert last_drop(east) == Trigger.WRONG_DIRECTION


def test_an_unanswered_request_is_repeated_octet_for_octet_ten_times_at_most() -> None:
    east, _ = connected()
    say(east, WORD)
    first = octets(east.take())
    east.wait(400.0)
    same = [sent for sent in octets(east.take()) if sent == first[0]]
    assert len(same) == 9
    assert max(event.attempt for event in east.told(Retransmitted)) == 10


def test_message_numbers_begin_anew_with_a_new_ike_sa() -> None:
    east, west = connected()
    east.command(RekeyIke("west"))
    while east.sent or west.sent:
        carry(east.take(), west)
        carry(west.take(), east)
    assert east.told(IkeRekeyed)
    say(east, WORD)
    assert [decode_header(sent).message_id for sent in octets(east.take())] == [0]


def fragmented() -> tuple[Seat, Seat, list[SendDatagram]]:
    """IKE_AUTH in several fragments, about to leave."""
    east = replace(EAST, identity=f"{LONG}.east.example", fragmentation=Fragmentation(size=576))
    west = replace(WEST, looks_for=east.identity, fragmentation=Fragmentation(size=1280))
    one, other = two(east, west)
    carry(one.take(), other)
    carry(other.take(), one)
    return one, other, one.take()


def test_of_a_replayed_request_in_fragments_only_the_first_brings_the_response_again() -> None:
    _, west, pieces = fragmented()
    assert len(pieces) > 2
    carry(pieces, west)
    stored = octets(west.take())
    assert stored
    carry(pieces[1:], west)
    assert west.take() == []
    carry(pieces[:1], west)
    assert octets(west.take()) == stored


def test_a_forged_first_fragment_brings_nothing() -> None:
    _, west, pieces = fragmented()
    carry(pieces, west)
    west.take()
    forged = pieces[0].octets[:-1] + bytes([pieces[0].octets[-1] ^ 1])
    carry([replace(pieces[0], octets=forged)], west)
    assert west.take() == []


@pytest.mark.parametrize("exchange", [ExchangeType.IKE_AUTH, ExchangeType.IKE_INTERMEDIATE, ExchangeType(99)])
def test_what_makes_no_sense_on_an_ike_sa_that_stands_ends_it_at_both_ends(exchange: ExchangeType) -> None:
    """RFC 7296, 2.21.3: INVALID_SYNTAX is fatal in both peers. Only the authentic peer can bring it about."""
    east, west = connected()
    before = east.gateway.ike_sas()[0].initiator_spi
    say(east, WORD, exchange=exchange)
    request = east.sent[0]
    carry(east.take(), west)
    (answer,) = west.sent
    assert "makes no sense" in west.told(IkeDeleted)[0].reason
    assert not west.gateway.ike_sas()
    carry([request], west)
    assert octets(west.take()) == [answer.octets] * 2, "while it is remembered it is answered alike"
    carry([answer], east)
    assert east.told(IkeDeleted)
    converse(east, west)
    (after,) = east.gateway.ike_sas()
    assert after.initiator_spi != before
    assert len(after.children) == 1


def test_a_forged_second_ike_auth_ends_nothing() -> None:
    east, west = two()
    carry(east.take(), west)
    carry(west.take(), east)
    (proof,) = east.take()
    carry([proof], west)
    carry(west.take(), east)
    later = (decode_header(proof.octets).message_id + 1).to_bytes(4)
    carry([replace(proof, octets=proof.octets[:20] + later + proof.octets[24:])], west)
    assert last_drop(west) == Trigger.INTEGRITY_FAILED
    assert [ike.state for ike in west.gateway.ike_sas()] == ["established"]
