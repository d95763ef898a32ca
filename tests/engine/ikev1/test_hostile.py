"""What a stranger may do to IKE version 1, and what comes of it: nothing."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from isthmus.engine.commands import TerminateIke
from isthmus.engine.outputs import SendDatagram
from isthmus.events.ike import NegotiationFailed
from isthmus.events.message import DatagramDropped, Trigger
from isthmus.model.address import Endpoint
from isthmus.model.plan import ExchangeMode, SessionSettings
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import IkeSpi, MessageId
from isthmus.sim.plans import EAST, Party
from isthmus.sim.scenarios.ikev1 import EAST_V1, WEST_V1
from isthmus.wire.ikev1.header import Header, decode_header
from isthmus.wire.ikev1.message import decode, encode
from isthmus.wire.ikev1.payloads import Delete, Fragment, Hash, Notify, Payload
from isthmus.wire.ikev1.registry import NotifyType, PayloadType
from isthmus.wire.registry import ExchangeTypeV1
from tests.engine.table import HERE, THERE, Seat, carry, connected, converse, two

AGGRESSIVE_EAST, AGGRESSIVE_WEST = (replace(p, exchange_mode=ExchangeMode.AGGRESSIVE) for p in (EAST_V1, WEST_V1))


def triggers(seat: Seat) -> list[Trigger]:
    return [event.trigger for event in seat.told(DatagramDropped)]


def informational(seat: Seat, *payloads: Payload) -> bytes:
    """An Informational message in the clear, with the cookies of the one IKE SA there is."""
    (sa,) = seat.gateway.ike_sas()
    spis = IkeSpi(sa.initiator_spi), IkeSpi(sa.responder_spi)
    return encode(Header(*spis, ExchangeTypeV1.INFORMATIONAL, MessageId(77)), payloads)


def stands(seat: Seat) -> bool:
    return [(sa.state, len(sa.children)) for sa in seat.gateway.ike_sas()] == [("established", 1)]


@pytest.mark.parametrize(
    "payloads",
    [
        (Delete(Protocol.IKE, (b"c" * 16,)),),
        (Hash(bytes(32)), Notify(NotifyType.INITIAL_CONTACT)),
        (Notify(NotifyType.INVALID_SPI, protocol=Protocol.ESP),),
        (Hash(bytes(32)), Notify(NotifyType.R_U_THERE, bytes(4))),
    ],
    ids=["delete", "initial-contact", "invalid-spi", "r-u-there"],
)
def test_an_informational_message_in_the_clear_changes_nothing(payloads: tuple[Payload, ...]) -> None:
    _, west = connected(EAST_V1, WEST_V1)
    west.take()
    west.receive(informational(west, *payloads), THERE, HERE)
    assert stands(west)
    assert west.take() == []
    assert triggers(west)[-1] is Trigger.NOT_SEALED


def test_an_altered_delete_is_not_believed() -> None:
    east, west = connected(EAST_V1, WEST_V1)
    east.command(TerminateIke("west"))
    farewell = [d for d in east.take() if decode_header(d.octets).exchange == ExchangeTypeV1.INFORMATIONAL]
    assert len(farewell) == 2
    for datagram in farewell:
        # Not the last block: it may be padding only, which version 1 does not authenticate.
        spoiled = datagram.octets[:40] + bytes([datagram.octets[40] ^ 1]) + datagram.octets[41:]
        west.receive(spoiled, datagram.local, datagram.remote)
    assert stands(west)
    assert triggers(west)[-1] is Trigger.INTEGRITY_FAILED


def test_a_replayed_informational_message_is_known_by_its_number() -> None:
    east, west = connected(EAST_V1, WEST_V1)
    east.wait(5.5)  # it asks whether the other lives
    question, *_ = (d for d in east.take() if decode_header(d.octets).exchange == ExchangeTypeV1.INFORMATIONAL)
    carry([question], west)
    west.take()
    carry([question], west)
    assert west.take() == []
    assert triggers(west)[-1] is Trigger.OUTSIDE_WINDOW


def test_our_own_message_comes_back_and_is_dropped() -> None:
    east, _ = two(EAST_V1, WEST_V1)
    (first,) = east.take()
    east.receive(first.octets, first.remote, first.local)
    assert triggers(east)[-1] is Trigger.REFLECTED
    assert east.take() == []


def test_nobody_gets_more_than_one_answer_to_a_message() -> None:
    east, west = two(EAST_V1, WEST_V1)
    (first,) = east.take()
    for _ in range(5):
        carry([first], west)
        assert len(west.take()) == 1
    west.wait(120.0)
    assert west.take() == []  # a responder never repeats by itself to whom has proved nothing
    assert west.gateway.ike_sas() == ()
    assert west.gateway.half_open == 0


def test_a_flood_of_first_messages_holds_bounded_state_and_makes_nobody_count() -> None:
    settings = SessionSettings(cookie_activation_threshold=2, maximum_half_opened_sa=5)
    east, west = two(EAST_V1, replace(WEST_V1, knows="dynamic", settings=settings))
    (first,) = east.take()
    for number in range(1, 200):
        octets = number.to_bytes(8, "big") + first.octets[8:]
        source = Endpoint(ip_address(f"203.0.113.{number}"), 500)
        west.receive(octets, source, HERE)
    assert len(west.take()) == 5
    assert west.gateway.half_open == 5
    assert west.gateway.key_exchanges_answered == 0
    west.wait(60.0)
    assert west.take() == []
    assert west.gateway.half_open == 0


def test_last_words_are_not_answered_by_last_words() -> None:
    east, west = connected(EAST_V1, WEST_V1)
    quick = [d for d in east.told(SendDatagram) if decode_header(d.octets).exchange == ExchangeTypeV1.QUICK_MODE]
    west.take()
    carry([quick[-1]], west)
    assert west.take() == []


def test_an_unprotected_refusal_does_not_end_the_attempt() -> None:
    east, west = two(EAST_V1, WEST_V1)
    (first,) = east.take()
    spi = decode_header(first.octets).initiator_spi
    header = Header(spi, IkeSpi(bytes(8)), ExchangeTypeV1.INFORMATIONAL, MessageId(5))
    east.receive(encode(header, [Notify(NotifyType.NO_PROPOSAL_CHOSEN)]), HERE, THERE)
    carry([first], west)
    converse(east, west)
    assert stands(east)
    assert stands(west)


def test_aggressive_mode_answers_an_unknown_name_as_it_answers_a_known_one() -> None:
    shapes = []
    for party in (AGGRESSIVE_EAST, replace(AGGRESSIVE_EAST, psk=b"another one altogether")):
        for name in ("east.example", "nobody.example"):
            knows = replace(AGGRESSIVE_WEST, looks_for="east.example")
            east, west = two(replace(party, identity=name), knows)
            carry(east.take(), west)
            (answer,) = west.take()
            read = decode(answer.octets)
            shapes.append([(type(p).__name__, len(p.write())) for p in read.chain.payloads])
            assert read.chain.body(PayloadType.ID)[4:] == b"west.example"
    assert all(shape == shapes[0] for shape in shapes)


def test_whoever_is_unknown_never_gets_in_though_it_was_answered() -> None:
    east, west = two(
        replace(AGGRESSIVE_EAST, identity="nobody.example"), replace(AGGRESSIVE_WEST, looks_for="east.example")
    )
    converse(east, west)
    assert not any(sa.state == "established" for sa in west.gateway.ike_sas())
    assert west.told(NegotiationFailed)


def test_aggressive_mode_is_not_answered_where_main_mode_is_configured() -> None:
    east, west = two(AGGRESSIVE_EAST, replace(WEST_V1, exchange_mode=ExchangeMode.MAIN))
    carry(east.take(), west)
    assert west.take() == []
    assert west.gateway.half_open == 0


def test_no_key_is_agreed_on_for_strangers_in_a_crowd() -> None:
    crowded = replace(AGGRESSIVE_WEST, settings=SessionSettings(cookie_activation_threshold=0))
    east, west = two(AGGRESSIVE_EAST, crowded)
    carry(east.take(), west)
    assert west.take() == []
    assert west.gateway.key_exchanges_answered == 0


def test_who_speaks_version_1_is_not_known_where_only_version_2_is_configured() -> None:
    east, west = two(EAST_V1, replace(WEST_V1, version=EAST.version))
    carry(east.take(), west)
    assert west.take() == []
    assert triggers(west)[-1] is Trigger.UNKNOWN_PEER


@pytest.mark.parametrize("exchange", [ExchangeTypeV1.NEW_GROUP_MODE, ExchangeTypeV1.TRANSACTION, ExchangeTypeV1.BASE])
def test_exchanges_that_we_refuse_are_refused_by_silence(exchange: ExchangeTypeV1) -> None:
    _, west = connected(EAST_V1, WEST_V1)
    (sa,) = west.gateway.ike_sas()
    west.take()
    header = Header(IkeSpi(sa.initiator_spi), IkeSpi(sa.responder_spi), exchange, MessageId(9))
    west.receive(encode(header, [Hash(bytes(32))]), THERE, HERE)
    assert west.take() == []
    assert triggers(west)[-1] is Trigger.UNEXPECTED_EXCHANGE


def test_fragments_of_whom_has_not_announced_them_take_no_memory() -> None:
    silent: Party = replace(EAST_V1, fragmentation=replace(EAST_V1.fragmentation, enabled=False))
    _, west = connected(silent, WEST_V1)
    west.receive(informational(west, Fragment(1, 1, 0, b"x" * 500)), THERE, HERE)
    assert triggers(west)[-1] is Trigger.BAD_FRAGMENT
