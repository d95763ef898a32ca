from dataclasses import replace
from ipaddress import ip_address

from isthmus.engine.ledger import Ledger
from isthmus.engine.surroundings import Surroundings
from isthmus.events.ike import CookieDemanded, FailureReason, NegotiationFailed
from isthmus.events.message import DatagramDropped, Trigger
from isthmus.model.address import Endpoint
from isthmus.model.plan import Plan
from isthmus.model.quantities import Instant
from isthmus.sim.plans import EAST
from tests.engine.table import Dice, carry, two

THERE = Endpoint(ip_address("192.0.2.7"), 500)


def ledger() -> Ledger:
    return Ledger(Plan(), Surroundings(Dice()))


def drop(at: float, trigger: Trigger = Trigger.MALFORMED, peer: str | None = None) -> DatagramDropped:
    return DatagramDropped(at=Instant(at), remote=THERE, trigger=trigger, peer=peer)


def pass_time(ledger: Ledger, until: float) -> None:
    ledger.now = Instant(until)
    for owner, what in ledger.agenda.take_due(ledger.now):
        owner.due(what)


def counts(ledger: Ledger) -> list[int]:
    said = []
    while (output := ledger.next_output()) is not None:
        assert isinstance(output, DatagramDropped | CookieDemanded | NegotiationFailed)
        said.append(output.count)
    return said


def test_the_first_of_a_kind_is_told_at_once_and_the_others_together_after_a_second() -> None:
    book = ledger()
    for _ in range(1000):
        book.emit_rarely(drop(0.0))
    assert counts(book) == [1]
    pass_time(book, 1.0)
    assert counts(book) == [999]


def test_nothing_is_lost_and_nothing_counted_twice_over_a_long_flood() -> None:
    book, told = ledger(), 0
    for tenth in range(100):
        pass_time(book, tenth / 10)
        for _ in range(7):
            book.emit_rarely(drop(tenth / 10))
    pass_time(book, 20.0)
    pass_time(book, 40.0)
    told = sum(counts(book))
    assert told == 700


def test_kinds_triggers_and_peers_do_not_hide_each_other() -> None:
    book = ledger()
    book.emit_rarely(drop(0.0))
    book.emit_rarely(drop(0.0, Trigger.UNKNOWN_SPI))
    book.emit_rarely(drop(0.0, peer="branch"))
    book.emit_rarely(CookieDemanded(at=Instant(0.0), remote=THERE, half_open=1))
    assert counts(book) == [1, 1, 1, 1]


def test_after_a_quiet_second_it_is_told_at_once_again_and_no_timer_is_left() -> None:
    book = ledger()
    book.emit_rarely(drop(0.0))
    pass_time(book, 1.0)
    assert book.agenda.next() is None
    book.emit_rarely(drop(1.5))
    assert counts(book) == [1, 1]


def test_a_stranger_whose_offers_are_all_refused_fills_no_log() -> None:
    east, west = two(replace(EAST, ike=("3des/sha1/sha1/group2",)))
    (request,) = east.take()
    for number in range(60):
        carry([replace(request, octets=number.to_bytes(8, "big", signed=False)[::-1] + request.octets[8:])], west)
    (told,) = west.told(NegotiationFailed)
    assert (told.reason, told.count) == (FailureReason.NO_PROPOSAL_CHOSEN, 1)
    west.wait(1.1)
    assert west.told(NegotiationFailed)[1:][0].count == 58
    assert "58 alike" in west.told(NegotiationFailed)[1].tell()
