from dataclasses import replace
from ipaddress import ip_address

from isthmus.engine.admission import MAX_HALF_OPEN_PER_ADDRESS
from isthmus.engine.outputs import SendDatagram
from isthmus.events.ike import CookieDemanded, IkeEstablished
from isthmus.events.message import DatagramDropped, Trigger
from isthmus.model.address import Endpoint
from isthmus.model.plan import SessionSettings
from isthmus.model.quantities import IkeSpi
from isthmus.sim.plans import EAST, WEST, Party, plan_of
from isthmus.wire.ikev2.message import Message, decode, encode
from isthmus.wire.ikev2.payloads import Nonce, Notify
from isthmus.wire.registry import NotifyType, PayloadType
from tests.engine.table import HERE, THERE, Seat, carry, converse, seat, two

ALWAYS = SessionSettings(cookie_activation_threshold=0)
ANYBODY = replace(WEST, knows="dynamic")
SECRET_LIFE = 60.0


def west(party: Party = ANYBODY) -> Seat:
    return seat(plan_of(party, EAST), 2)


def request(number: int = 0, cookie: bytes = b"") -> bytes:
    """An IKE_SA_INIT request with an SPI of its own, and perhaps a cookie."""
    east, _ = two()
    message = decode(east.sent[0].octets)
    header = replace(message.header, initiator_spi=IkeSpi((number + 1).to_bytes(8)))
    cookies = [Notify(NotifyType.COOKIE, cookie)] if cookie else []
    return encode(header, [*cookies, *message.payloads])


def answer(seat: Seat) -> Message | None:
    sent = seat.take()
    assert len(sent) <= 1
    return decode(sent[0].octets) if sent else None


def cookie_of(seat: Seat) -> bytes:
    message = answer(seat)
    assert message is not None
    (notify,) = message.payloads
    assert isinstance(notify, Notify)
    assert notify.notify == NotifyType.COOKIE
    return notify.data


def stranger(number: int) -> Endpoint:
    return Endpoint(ip_address(0xC0000200 + number), 500)


def test_above_the_threshold_nothing_is_kept_and_no_key_exchange_answered_before_the_cookie() -> None:
    here = west(replace(ANYBODY, settings=ALWAYS))
    for number in range(300):
        here.receive(request(number), stranger(number), HERE)
    assert {str(decode(sent.octets).payloads[0].type) for sent in here.take()} == {str(PayloadType.NOTIFY)}
    assert here.gateway.half_open == 0
    assert here.gateway.key_exchanges_answered == 0
    assert here.gateway.ike_sas() == ()


def test_the_answer_to_a_stranger_is_smaller_than_what_it_sent() -> None:
    here = west(replace(ANYBODY, settings=ALWAYS))
    here.receive(request(), THERE, HERE)
    assert len(here.sent[0].octets) < len(request())


def test_with_the_cookie_the_initiator_comes_in_and_one_key_exchange_is_answered() -> None:
    here = west(replace(ANYBODY, settings=ALWAYS))
    here.receive(request(), THERE, HERE)
    here.receive(request(cookie=cookie_of(here)), THERE, HERE)
    assert here.gateway.half_open == 1
    assert here.gateway.key_exchanges_answered == 1


def test_the_cookie_is_bound_to_address_spi_and_nonce() -> None:
    here = west(replace(ANYBODY, settings=ALWAYS))
    here.receive(request(), THERE, HERE)
    cookie = cookie_of(here)
    here.receive(request(cookie=cookie), stranger(9), HERE)
    assert cookie_of(here) != cookie
    here.receive(request(1, cookie), THERE, HERE)
    assert cookie_of(here) != cookie
    other_nonce = request(cookie=cookie)
    (nonce,) = (p for p in decode(request()).payloads if isinstance(p, Nonce))
    place = other_nonce.index(nonce.data)
    here.receive(other_nonce[:place] + b"\0" + other_nonce[place + 1 :], THERE, HERE)
    assert cookie_of(here) != cookie
    assert here.gateway.key_exchanges_answered == 0


def test_the_port_may_change_between_the_two_requests() -> None:
    here = west(replace(ANYBODY, settings=ALWAYS))
    here.receive(request(), THERE, HERE)
    here.receive(request(cookie=cookie_of(here)), THERE.with_port(1024), HERE)
    assert here.gateway.half_open == 1


def test_a_cookie_of_the_secret_before_is_taken_and_an_older_one_is_not() -> None:
    here = west(replace(ANYBODY, settings=ALWAYS))
    here.receive(request(), THERE, HERE)
    cookie = cookie_of(here)
    here.wait(SECRET_LIFE + 1)
    here.receive(request(cookie=cookie), THERE, HERE)
    assert here.gateway.half_open == 1

    here.receive(request(1), THERE, HERE)
    old = cookie_of_last(here)
    here.wait(SECRET_LIFE + 1)
    here.receive(request(2), THERE, HERE)
    here.wait(SECRET_LIFE)
    here.take()
    here.receive(request(1, old), THERE, HERE)
    assert cookie_of(here) != old


def cookie_of_last(seat: Seat) -> bytes:
    notify = decode(seat.take()[-1].octets).payloads[0]
    assert isinstance(notify, Notify)
    return notify.data


def test_garbage_in_place_of_a_cookie_is_answered_by_a_cookie() -> None:
    here = west(replace(ANYBODY, settings=ALWAYS))
    for brought in (b"\0", b"\1" * 33, b"\xff" * 64, b"x" * 200):
        here.receive(request(cookie=brought), THERE, HERE)
        assert len(cookie_of(here)) <= 64
    assert here.gateway.key_exchanges_answered == 0


def test_below_the_threshold_nobody_is_asked_and_from_it_on_everybody() -> None:
    here = west(replace(ANYBODY, settings=SessionSettings(cookie_activation_threshold=3)))
    for number in range(5):
        here.receive(request(number), stranger(number), HERE)
    assert here.gateway.half_open == 3
    assert here.gateway.key_exchanges_answered == 3
    here.wait(1.0)
    assert sum(event.count for event in here.told(CookieDemanded)) == 2


def test_a_gateway_that_requires_cookies_always_asks() -> None:
    here = west(replace(WEST, require_cookie=True))
    here.receive(request(), THERE, HERE)
    cookie_of(here)


def test_above_the_maximum_newcomers_are_dropped_without_a_word() -> None:
    here = west(replace(ANYBODY, settings=SessionSettings(cookie_activation_threshold=500, maximum_half_opened_sa=2)))
    for number in range(3):
        here.receive(request(number), stranger(number), HERE)
    assert here.gateway.half_open == 2
    assert len(here.take()) == 2
    assert [event.trigger for event in here.told(DatagramDropped)] == [Trigger.HALF_OPEN_LIMIT]


def test_one_address_cannot_fill_the_table() -> None:
    here = west(ANYBODY)
    for number in range(MAX_HALF_OPEN_PER_ADDRESS + 10):
        here.receive(request(number), THERE.with_port(1000 + number), HERE)
    assert here.gateway.half_open == MAX_HALF_OPEN_PER_ADDRESS
    here.receive(request(1000), stranger(77), HERE)
    assert here.gateway.half_open == MAX_HALF_OPEN_PER_ADDRESS + 1


def test_an_ipv6_subnet_counts_as_one_host() -> None:
    local = "2001:db8::1"
    here = west(replace(ANYBODY, address=local))
    for number in range(MAX_HALF_OPEN_PER_ADDRESS + 10):
        remote = Endpoint(ip_address(f"2001:db8:1:2::{number + 1:x}"), 500)
        here.receive(request(number), remote, Endpoint(ip_address(local), 500))
    assert here.gateway.half_open == MAX_HALF_OPEN_PER_ADDRESS


def test_half_open_ike_sas_end_by_themselves_and_leave_nothing() -> None:
    here = west(ANYBODY)
    for number in range(20):
        here.receive(request(number), stranger(number), HERE)
    assert here.gateway.half_open == 20
    here.wait(60.0)
    assert here.gateway.half_open == 0
    assert here.gateway.ike_sas() == ()


def test_whoever_failed_to_authenticate_keeps_its_place_for_a_moment() -> None:
    east, here = two(replace(EAST, psk=b"another key than the one agreed"), ANYBODY)
    converse(east, here, until=lambda: any(here.told(SendDatagram)) and not here.gateway.ike_sas())
    assert here.gateway.half_open == 1
    here.wait(15.0)
    assert here.gateway.half_open == 0


def test_a_legitimate_peer_comes_in_during_a_flood() -> None:
    settings = SessionSettings(cookie_activation_threshold=5)
    east, here = two(EAST, replace(ANYBODY, settings=settings))
    for number in range(500):
        here.receive(request(number), stranger(number), HERE)
    here.take()
    converse(east, here)
    assert len(here.told(IkeEstablished)) == 1
    assert here.gateway.key_exchanges_answered == 6


def test_a_repeated_first_request_gets_the_same_answer_and_costs_no_key_exchange() -> None:
    east, here = two()
    (first,) = east.take()
    carry([first], here)
    (answered,) = here.take()
    carry([first], here)
    assert [again.octets for again in here.take()] == [answered.octets]
    assert here.gateway.key_exchanges_answered == 1
