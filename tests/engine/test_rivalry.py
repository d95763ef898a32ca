"""A peer that may have forgotten an IKE SA: another is tried beside it, and gives way if the peer answers after all."""

from dataclasses import replace

import pytest

from isthmus.engine.outputs import SendDatagram
from isthmus.events.ike import IkeDeleted, IkeEstablished, IkeStarted
from isthmus.model.plan import Liveness
from isthmus.sim.plans import EAST, WEST
from isthmus.wire.ikev2.header import decode_header
from isthmus.wire.registry import ExchangeType
from tests.engine.table import Seat, carry, connected, converse, two

INTERVAL = Liveness().interval


def exchanges(datagrams: list[SendDatagram]) -> list[ExchangeType]:
    return [decode_header(datagram.octets).exchange for datagram in datagrams]


def silent(east: Seat) -> list[SendDatagram]:
    """What east has said to a peer that does not answer, until it has begun to doubt."""
    east.wait(INTERVAL + 0.6)
    return east.take()


def test_a_silent_peer_is_asked_in_quick_succession_and_then_called_anew() -> None:
    east, _ = connected()
    said = exchanges(silent(east))
    assert said == [ExchangeType.INFORMATIONAL] * 5 + [ExchangeType.IKE_SA_INIT]
    assert [ike.state for ike in east.gateway.ike_sas()] == ["established", "connecting"]
    assert not east.told(IkeDeleted)


def test_it_is_not_called_anew_where_it_answers_after_all() -> None:
    east, west = connected()
    said = silent(east)
    carry(said[:1], west)
    carry(west.take(), east)
    assert [ike.state for ike in east.gateway.ike_sas()] == ["established"]
    carry(said[-1:], west)  # what was under way comes too late, and nothing comes of it
    converse(east, west)
    east.wait(100)
    assert len(east.told(IkeEstablished)) == 1


def test_a_peer_that_can_be_reached_is_asked_again_before_anything_is_replaced() -> None:
    east, west = connected()
    carry(silent(east)[-1:], west)
    carry(west.take(), east)
    assert exchanges(east.sent) == [ExchangeType.INFORMATIONAL]
    converse(east, west)
    east.wait(1.0)
    assert [ike.state for ike in east.gateway.ike_sas()] == ["established"]
    assert not east.sent


def test_one_that_has_forgotten_us_is_authenticated_anew_and_the_old_one_goes_without_a_word() -> None:
    east, _ = connected()
    _, stranger = two()
    before = east.gateway.ike_sas()[0].initiator_spi
    carry(silent(east)[-1:], stranger)
    carry(stranger.take(), east)
    east.take()
    east.wait(0.6)
    carry([d for d in east.take() if decode_header(d.octets).exchange == ExchangeType.IKE_AUTH], stranger)
    converse(east, stranger)
    assert len(east.told(IkeEstablished)) == 2
    east.wait(5.1)
    (after,) = east.gateway.ike_sas()
    assert after.initiator_spi != before
    assert len(after.children) == 1


def test_while_one_attempt_lasts_there_is_no_second() -> None:
    east, _ = connected()
    east.wait(INTERVAL + 20)
    assert len(east.told(IkeStarted)) == 2


@pytest.mark.parametrize("knows", [None, "dynamic"])
def test_who_may_only_answer_calls_nobody(knows: str | None) -> None:
    _, west = connected(west=replace(WEST, passive=knows is None, knows=knows))
    west.wait(INTERVAL + 20)
    assert not west.told(IkeStarted)


def test_a_peer_known_to_be_slow_is_given_the_time_that_it_takes() -> None:
    east, west = two(EAST, WEST)
    while east.sent or west.sent:
        for one, other in ((east, west), (west, east)):
            said = one.take()
            east.wait(0.6)
            west.wait(0.6)
            carry(said, other)
    east.wait(INTERVAL + 0.6)
    assert ExchangeType.INFORMATIONAL in exchanges(east.sent)
    assert len(east.told(IkeStarted)) == 1
