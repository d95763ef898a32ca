"""Extensions that change one thing each: signature hashes, childless set-up, lifetimes that the responder sets."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from isthmus.engine.commands import InitiateIke
from isthmus.engine.exchange import Draft, Exchange, Inbound, Leg, Run, Speaker, Step
from isthmus.engine.ikev2.dialect import Ikev2
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.intention import Intention
from isthmus.engine.ikev2.steps.announce import Announce
from isthmus.engine.ikev2.steps.lifetime import told_lifetime
from isthmus.engine.ikev2.steps.signature_hashes import TellSignatureHashes
from isthmus.engine.refusal import Refusal
from isthmus.events.child import ChildInstalled
from isthmus.events.ike import IkeDeleted, IkeEstablished
from isthmus.model.plan import Start
from isthmus.sim.plans import EAST, WEST
from isthmus.wire.ikev2.header import decode_header
from isthmus.wire.ikev2.message import decode
from isthmus.wire.ikev2.payloads import Notify, Payload
from isthmus.wire.registry import ExchangeType, HashAlgorithm, NotifyType
from tests.engine.table import Seat, connected, converse, two

ON_DEMAND = replace(EAST, start=Start.ON_DEMAND), replace(WEST, start=Start.ON_DEMAND)


def hashes(payloads: list[Payload] | tuple[Payload, ...]) -> list[bytes]:
    return [p.data for p in payloads if isinstance(p, Notify) and p.notify == NotifyType.SIGNATURE_HASH_ALGORITHMS]


class Say(Intention):
    """A request of the peer that says just this."""

    def __init__(self, *payloads: Payload, exchange: ExchangeType = ExchangeType.INFORMATIONAL) -> None:
        self.payloads = payloads
        self.exchange = exchange

    def begin(self) -> Run[Any]:
        said = self.payloads

        class Speak(Step[None]):
            def write(self, leg: int, draft: Draft) -> None:
                draft.add(*said)

        legs = Leg(Speaker.REQUESTER), Leg(Speaker.REPLIER)
        return Run(Exchange(self.exchange.name, self.exchange, legs, (Speak,)), None)

    def succeeded(self, message: Inbound) -> None: ...

    def refused(self, notify: Notify) -> None: ...

    def rejected(self, refusal: Refusal) -> None: ...

    def silent(self, attempts: int) -> None: ...


def say(seat: Seat, *payloads: Payload, exchange: ExchangeType = ExchangeType.INFORMATIONAL) -> None:
    """The gateway says what no gateway of ours would."""
    (sa,) = (sa for sa in seat.gateway._ledger.ike_sas.values() if sa.established)
    assert isinstance(sa.dialect, Ikev2)
    sa.dialect.party.requests.want(Say(*payloads, exchange=exchange))
    seat._drain()


def reauthenticates_in(seat: Seat) -> float | None:
    (view,) = seat.gateway.ike_sas()
    return None if view.reauth_at is None else view.reauth_at - seat.now


def test_both_ends_list_the_hashes_that_they_take_and_no_sha1() -> None:
    east, west = two()
    request = decode(east.sent[0].octets)
    assert hashes(request.payloads) == [bytes((0, 2, 0, 3, 0, 4, 0, 5))]
    west.receive(east.sent[0].octets, east.sent[0].local, east.sent[0].remote)
    assert hashes(decode(west.sent[0].octets).payloads) == [bytes((0, 2, 0, 3, 0, 4, 0, 5))]


@pytest.mark.parametrize(
    ("data", "known"),
    [(b"\0\2\0\4", {HashAlgorithm.SHA2_256, HashAlgorithm.SHA2_512}), (b"", set()), (b"\0", set()), (b"\0\2\0", {2})],
)
def test_what_the_peer_lists_is_remembered_and_an_odd_octet_does_no_harm(data: bytes, known: set[int]) -> None:
    east, _ = two()
    (sa,) = east.gateway._ledger.ike_sas.values()
    handshake = Handshake(sa)
    TellSignatureHashes(handshake).read(0, Inbound([Notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, data)]))
    assert handshake.peer_hashes == known


def test_who_lists_no_hashes_is_told_none() -> None:
    east, _ = two()
    (sa,) = east.gateway._ledger.ike_sas.values()
    draft = Draft()
    TellSignatureHashes(Handshake(sa)).write(1, draft)
    assert draft.payloads == []


def test_an_ike_sa_that_nobody_needs_a_child_of_comes_up_without_one() -> None:
    east, west = two(*ON_DEMAND)
    east.command(InitiateIke("west"))
    converse(east, west)
    assert east.told(IkeEstablished)
    assert not east.told(ChildInstalled)
    assert east.gateway.tunnels()[0].state == "down"


def test_a_child_that_is_to_be_up_comes_with_it() -> None:
    east, west = two(EAST, WEST)
    east.command(InitiateIke("west"))
    converse(east, west)
    assert east.told(ChildInstalled)


def test_a_responder_that_does_not_announce_childless_is_asked_for_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    write = Announce.write

    def old_peer(step: Announce, leg: int, draft: Draft) -> None:
        write(step, leg, draft)
        draft.payloads = [
            p for p in draft.payloads if getattr(p, "notify", None) != NotifyType.CHILDLESS_IKEV2_SUPPORTED
        ]

    monkeypatch.setattr(Announce, "write", old_peer)
    east, west = two(*ON_DEMAND)
    east.command(InitiateIke("west"))
    converse(east, west)
    assert east.told(ChildInstalled)


def test_the_responders_lifetime_makes_us_authenticate_before_it_ends() -> None:
    east, west = connected()
    assert reauthenticates_in(east) is None
    say(west, Notify(NotifyType.AUTH_LIFETIME, (3600).to_bytes(4)))
    converse(east, west)
    assert reauthenticates_in(east) == pytest.approx(3240.0, abs=1.0)


def test_an_earlier_plan_of_our_own_stays() -> None:
    east, west = connected(replace(EAST, authentication_multiple=1, ike_lifetime=EAST.child_lifetime))
    planned = reauthenticates_in(east)
    say(west, Notify(NotifyType.AUTH_LIFETIME, (2**32 - 1).to_bytes(4)))
    converse(east, west)
    assert reauthenticates_in(east) == planned


def test_the_responder_takes_no_lifetime_from_the_initiator() -> None:
    east, west = connected()
    say(east, Notify(NotifyType.AUTH_LIFETIME, (3600).to_bytes(4)))
    converse(east, west)
    assert reauthenticates_in(west) is None


def test_a_lifetime_of_nothing_does_not_make_a_storm() -> None:
    east, west = connected()
    say(west, Notify(NotifyType.AUTH_LIFETIME, bytes(4)))
    converse(east, west)
    assert reauthenticates_in(east) == pytest.approx(10.0, abs=0.1)


HOUR = EAST.child_lifetime
LIMITED = replace(WEST, ike_lifetime=HOUR, authentication_multiple=2)


def test_a_responder_says_how_long_an_authentication_is_good() -> None:
    east, _ = connected(EAST, LIMITED)
    assert reauthenticates_in(east) == pytest.approx(0.9 * 2 * HOUR, abs=1.0)


def test_a_responder_without_such_a_limit_says_nothing_of_it() -> None:
    east, _ = connected(replace(EAST, authentication_multiple=0), WEST)
    assert reauthenticates_in(east) is None


def test_a_peer_that_does_not_authenticate_anew_in_time_is_called_although_we_only_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("isthmus.engine.ikev2.steps.lifetime.told_lifetime", lambda _: None)
    east, west = connected(EAST, LIMITED)
    live(east, west, 2 * HOUR + 60)
    assert [event.role for event in west.told(IkeEstablished)] == ["responder", "initiator"]
    (view,) = west.gateway.ike_sas()
    assert len(view.children) == 1
    assert not any("in time" in event.reason for event in west.told(IkeDeleted))


def test_one_that_cannot_be_authenticated_anew_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.engine.ikev2.steps.lifetime.told_lifetime", lambda _: None)
    east, west = connected(EAST, LIMITED)

    def block() -> None:
        for seat in (east, west):
            seat.sent = [d for d in seat.sent if decode_header(d.octets).exchange != ExchangeType.IKE_SA_INIT]

    live(east, west, 2.1 * HOUR, block)
    assert {event.reason for event in west.told(IkeDeleted)} == {"rekeyed"}
    live(east, west, 0.2 * HOUR, block)
    assert "in time" in west.told(IkeDeleted)[-1].reason
    assert east.told(IkeDeleted)[-1].reason == "deleted by the peer"


def live(east: Seat, west: Seat, seconds: float, meddle: Callable[[], None] = lambda: None) -> None:
    for _ in range(int(seconds / 2)):
        for seat in (east, west):
            seat.wait(2.0)
        meddle()
        converse(east, west)


def test_when_it_is_time_a_new_ike_sa_takes_over() -> None:
    east, west = connected()
    say(west, Notify(NotifyType.AUTH_LIFETIME, (100).to_bytes(4)))
    converse(east, west)
    for _ in range(120):
        for seat in (east, west):
            seat.wait(1.0)
        converse(east, west)
    assert len(east.told(IkeEstablished)) == 2
    (view,) = east.gateway.ike_sas()
    assert len(view.children) == 1


def test_no_lifetime_is_no_lifetime() -> None:
    assert told_lifetime(Inbound([Notify(NotifyType.MOBIKE_SUPPORTED)])) is None
