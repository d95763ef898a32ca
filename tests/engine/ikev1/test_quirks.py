"""What RFC 2409 leaves to habit, and peers depend on."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from isthmus.engine.commands import RekeyChild
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev1.dialect import Ikev1
from isthmus.engine.ikev1.steps import suite as suite_step
from isthmus.engine.outputs import Program, SendDatagram
from isthmus.events.ike import FailureReason, NegotiationFailed, PeerRebooted
from isthmus.model.identity import Identity, IdType
from isthmus.model.plan import ExchangeMode, Plan
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import MessageId
from isthmus.model.sa_spec import InstallSa
from isthmus.sim.plans import Party, plan_of
from isthmus.sim.scenarios.ikev1 import EAST_V1, WEST_V1
from isthmus.wire.ikev1.header import Header, decode_header
from isthmus.wire.ikev1.message import decode, encode
from isthmus.wire.ikev1.offers import Duration, duration_attributes
from isthmus.wire.ikev1.payloads import Identification, NatD, NatDDraft, Notify, SecurityAssociation, VendorId
from isthmus.wire.ikev1.registry import AuthenticationMethod, IsakmpAttribute, NotifyType
from isthmus.wire.ikev1.security_association import Attribute, TransformV1, write_attributes
from isthmus.wire.registry import ExchangeTypeV1
from tests.engine.table import HERE, THERE, Seat, carry, connected, converse, seat, two

_COMMIT = 0x02
_FLAGS = 19
"""Where a header has its flags."""
_RFC_3947 = bytes.fromhex("4a131c81070358455c5728f20e95452f")
_DRAFTS = {
    "03": bytes.fromhex("7d9419a65310ca6f2c179d9215529d56"),
    "02": bytes.fromhex("cd60464335df21f87cfdb2fc68b6a448"),
    "02\\n": bytes.fromhex("90cb80913ebb696e086381b5ec427b1f"),
}
IDENTITIES = {
    "ip": Identity.of_address(ipaddress.ip_address("192.0.2.77")),
    "ip6": Identity.of_address(ipaddress.ip_address("2001:db8::77")),
    "fqdn": Identity.fqdn("east.example"),
    "user-fqdn": Identity.user_fqdn("vpn@east.example"),
    "key-id": Identity.key_id(b"\x00\x01 east \xff"),
    "dn": Identity(IdType.DER_ASN1_DN, bytes.fromhex("300f310d300b06035504030c0465617374")),
}


def sa_of(seat: Seat) -> IkeSa:
    (sa,) = (sa for sa in seat.gateway._ledger.ike_sas.values() if sa.established)
    return sa


def inform(seat: Seat, *payloads: Notify) -> None:
    """An authentic Informational message, as a peer with other habits would send it."""
    dialect = sa_of(seat).dialect
    assert isinstance(dialect, Ikev1)
    dialect.party.inform(*payloads)
    seat._drain()


def stands(*seats: Seat) -> bool:
    return all([(s.state, len(s.children)) for s in seat.gateway.ike_sas()] == [("established", 1)] for seat in seats)


def quick(seat: Seat) -> list[SendDatagram]:
    return [d for d in seat.told(SendDatagram) if decode_header(d.octets).exchange == ExchangeTypeV1.QUICK_MODE]


def through(one: Seat, other: Seat, change: Callable[[bytes], bytes]) -> None:
    """As `converse`, with each datagram changed on its way."""
    while one.sent or other.sent:
        for source, target in ((one, other), (other, one)):
            carry([replace(d, octets=change(d.octets)) for d in source.take()], target)


def named(east: Identity, mode: ExchangeMode) -> tuple[Plan, Plan]:
    parties: tuple[Party, Party] = replace(EAST_V1, exchange_mode=mode), replace(WEST_V1, exchange_mode=mode)
    here, there = plan_of(*parties), plan_of(*reversed(parties))
    ours, theirs = here.peers["west"], there.peers["east"]
    return (
        replace(here, peers={"west": replace(ours, local_id=east)}),
        replace(there, peers={"east": replace(theirs, peer_id=east)}),
    )


def test_whoever_spoke_last_repeats_its_message_to_the_last_octet() -> None:
    east, west = connected(EAST_V1, WEST_V1)
    (asked, confirmed), (answered,) = quick(east), quick(west)
    east.take()
    west.take()
    carry([asked], west)
    assert west.take() == []  # the confirmation came: its answer is no longer the last word
    carry([answered], east)
    assert [d.octets for d in east.take()] == [confirmed.octets]


def test_a_responder_repeats_its_answer_while_the_confirmation_is_missing() -> None:
    east, west = two(EAST_V1, WEST_V1)
    converse(east, west, until=lambda: len(quick(west)) == 1)
    west.take()
    carry([quick(east)[0]], west)
    assert [d.octets for d in west.take()] == [quick(west)[0].octets]


def test_each_quick_mode_has_a_message_id_and_ivs_of_its_own() -> None:
    east, west = connected(EAST_V1, WEST_V1)
    east.command(RekeyChild("west:lan"))
    west.command(RekeyChild("east:lan"))
    while east.sent or west.sent:  # two of them interleaved, each with the other's messages between its own
        there, back = east.take(), west.take()
        carry(there, west)
        carry(back, east)
    numbers = [decode_header(d.octets).message_id for d in quick(east) + quick(west)]
    assert len(set(numbers)) == 3
    assert not east.told(NegotiationFailed)
    assert not west.told(NegotiationFailed)


def test_a_message_id_serves_once() -> None:
    east, west = connected(EAST_V1, WEST_V1)
    dialect = sa_of(west).dialect
    assert isinstance(dialect, Ikev1)
    dialect.party.talks._conversations.clear()  # so long ago that nobody remembers the words
    west.take()
    carry(quick(east)[:1], west)
    assert west.take() == []
    assert stands(west)


def test_an_odd_offer_is_hashed_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lifetime first and in its long form, all else backwards: the answer and the hashes are over just these."""
    ours = suite_step.phase1_sa

    def odd(transform: TransformV1) -> TransformV1:
        *rest, unit, duration = transform.attributes
        duration = Attribute(duration.kind, duration.number.to_bytes(7, "big"), basic=False)
        return replace(transform, attributes=(unit, duration, *reversed(rest)))

    def offered_oddly(*arguments: Any) -> SecurityAssociation:
        (proposal,) = ours(*arguments).proposals
        return SecurityAssociation((replace(proposal, transforms=tuple(map(odd, proposal.transforms))),))

    monkeypatch.setattr(suite_step, "phase1_sa", offered_oddly)
    east, west = two(EAST_V1, WEST_V1)
    (first,) = east.take()
    carry([first], west)
    (answer,) = west.take()
    offered, chosen = (
        next(p for p in decode(d.octets).chain.payloads if isinstance(p, SecurityAssociation)) for d in (first, answer)
    )
    assert chosen.proposals[0].transforms[0].attributes == offered.proposals[0].transforms[0].attributes
    carry([answer], east)
    converse(east, west)
    assert stands(east, west)


def test_an_identity_with_a_protocol_and_a_port_is_hashed_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 2407, 4.6.2: in phase 1 zero and zero, or UDP and 500; peers send either."""
    ours = Identification.write

    def write(self: Identification) -> bytes:
        return ours(replace(self, protocol=17, port=500) if self.kind == IdType.FQDN else self)

    monkeypatch.setattr(Identification, "write", write)
    east, west = two(EAST_V1, WEST_V1)
    converse(east, west)
    assert stands(east, west)


def test_the_commit_bit_changes_nothing() -> None:
    east, west = two(EAST_V1, WEST_V1)
    through(east, west, lambda octets: octets[:_FLAGS] + bytes([octets[_FLAGS] | _COMMIT]) + octets[_FLAGS + 1 :])
    assert stands(east, west)
    inform(west, Notify(NotifyType.CONNECTED, protocol=Protocol.ESP, spi=bytes(4)))
    converse(east, west)
    assert stands(east, west)


@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
@pytest.mark.parametrize("mode", [ExchangeMode.MAIN, ExchangeMode.AGGRESSIVE])
def test_every_kind_of_identity_is_understood(mode: ExchangeMode, identity: Identity) -> None:
    here, there = named(identity, mode)
    east, west = seat(here, 1), seat(there, 2)
    converse(east, west)
    assert stands(east, west)
    assert west.gateway.ike_sas()[0].remote_id == str(identity)


@pytest.mark.parametrize("draft", _DRAFTS.values(), ids=_DRAFTS)
def test_old_peers_that_know_a_draft_of_nat_traversal_only(draft: bytes) -> None:
    """Its payloads and its encapsulation mode have other numbers. This peer finds a NAT before itself."""

    def as_old(octets: bytes) -> bytes:
        header = decode_header(octets)
        if header.encrypted:
            return octets
        said = decode(octets).chain.payloads
        drop = [_RFC_3947, *(known for known in _DRAFTS.values() if known != draft)]
        kept = [p for p in said if not (isinstance(p, VendorId) and p.data in drop)]
        if isinstance(said[0], SecurityAssociation) and not any(
            isinstance(p, VendorId) and p.data == draft for p in kept
        ):
            kept.append(VendorId(draft))
        return encode(header, [NatDDraft(b"\x00" * len(p.data)) if isinstance(p, NatD) else p for p in kept])

    east, west = two(EAST_V1, WEST_V1)
    through(east, west, as_old)
    assert stands(east, west)
    for each in (east, west):
        assert "NAT-T (draft)" in sa_of(each).vendors
        assert sa_of(each).udp
        dialect = sa_of(each).dialect
        assert isinstance(dialect, Ikev1)
        assert dialect.party.nat_by_draft


@pytest.mark.parametrize(
    "method", [3, 4, 5, 64221, 65001], ids=["rsa-sig", "rsa-enc", "rsa-rev-enc", "hybrid", "xauth"]
)
def test_other_ways_to_authenticate_are_refused_with_their_name(method: int) -> None:
    """Encryption with public keys answers like an oracle (Bleichenbacher); the others are not there, or not yet."""
    east, west = two(EAST_V1, WEST_V1)
    (first,) = east.take()
    message = decode(first.octets)
    sa, *rest = message.chain.payloads
    assert isinstance(sa, SecurityAssociation)
    (proposal,) = sa.proposals
    changed = tuple(
        replace(
            t,
            attributes=tuple(
                Attribute.of(a.kind, method) if a.kind == IsakmpAttribute.AUTHENTICATION_METHOD else a
                for a in t.attributes
            ),
        )
        for t in proposal.transforms
    )
    octets = encode(message.header, [SecurityAssociation((replace(proposal, transforms=changed),)), *rest])
    west.receive(octets, THERE, HERE)
    (failure,) = west.told(NegotiationFailed)
    assert failure.reason is FailureReason.NO_PROPOSAL_CHOSEN
    assert failure.they_said == (f"authentication {AuthenticationMethod.of(method).name}",)
    assert failure.we_said == ("authentication PRE_SHARED_KEY",)
    (answer,) = west.take()
    (notify,) = decode(answer.octets).chain.payloads
    assert isinstance(notify, Notify)
    assert notify.notify == NotifyType.NO_PROPOSAL_CHOSEN
    assert west.gateway.half_open == 0
    assert west.gateway.key_exchanges_answered == 0


def test_a_responder_that_keeps_phase_1_less_long_is_obeyed() -> None:
    east, west = connected(EAST_V1, WEST_V1)
    east.wait(1.0)
    (before,) = east.gateway.ike_sas()
    told = write_attributes(duration_attributes(Duration(600, None)))
    sa = sa_of(west)
    inform(west, Notify(NotifyType.RESPONDER_LIFETIME, told, Protocol.IKE, sa.initiator_spi + sa.responder_spi))
    converse(east, west)
    (after,) = east.gateway.ike_sas()
    assert before.rekey_at is not None
    assert after.rekey_at is not None
    assert after.rekey_at < 600.0 < before.rekey_at


@pytest.mark.parametrize(("ours", "theirs"), [(100 << 20, 50 << 20), (50 << 20, 100 << 20), (None, 50 << 20)])
def test_of_two_lifetimes_in_kilobytes_the_smaller_counts(ours: int | None, theirs: int | None) -> None:
    east, west = connected(replace(EAST_V1, child_octets=ours), replace(WEST_V1, child_octets=theirs))
    for each in (east, west):
        limits = {op.op.spec.limits.hard_octets for op in each.told(Program) if isinstance(op.op, InstallSa)}
        assert limits == {50 << 20}


def test_a_peer_that_began_anew_says_so_and_what_it_forgot_goes() -> None:
    east, west = connected(EAST_V1, WEST_V1)
    (old,) = west.gateway.ike_sas()
    again = seat(plan_of(EAST_V1, WEST_V1), 3)
    again.now = west.now = east.now + 1.0
    converse(again, west)
    assert [event.replaced for event in west.told(PeerRebooted)] == [1]
    assert stands(west)
    assert west.gateway.ike_sas()[0].initiator_spi != old.initiator_spi


def test_a_question_whether_we_live_is_answered_once_and_in_order() -> None:
    """RFC 3706, 6.1: what counts backwards is a replay under a number of its own."""
    east, west = connected(EAST_V1, WEST_V1)
    cookies = sa_of(east).initiator_spi + sa_of(east).responder_spi
    for number, answered in ((7, 1), (8, 1), (8, 0), (3, 0)):
        inform(east, Notify(NotifyType.R_U_THERE, number.to_bytes(4, "big"), spi=cookies))
        carry(east.take(), west)
        assert len(west.take()) == answered, number
    inform(east, Notify(NotifyType.R_U_THERE, (99).to_bytes(4, "big"), spi=bytes(16)))
    inform(east, Notify(NotifyType.R_U_THERE, b"", spi=cookies))
    carry(east.take(), west)
    assert west.take() == []


def test_who_reflects_our_own_values_gets_no_further() -> None:
    """Our nonce and our public value come back as the peer's: its answer would be ours."""
    east, west = two(EAST_V1, WEST_V1)
    carry(east.take(), west)
    carry(west.take(), east)
    (values,) = east.take()
    message = decode(values.octets)
    header = Header(message.header.initiator_spi, message.header.responder_spi, message.header.exchange, MessageId(0))
    east.receive(encode(header, message.chain.payloads[:2]), HERE, THERE)
    assert east.take() == []
    carry([values], west)
    converse(east, west)
    assert stands(east, west)  # the true answer came, and counts


def test_in_main_mode_a_wrong_key_and_an_unknown_name_look_alike() -> None:
    answers = []
    for change in ({"psk": b"another one altogether"}, {"identity": "nobody.example"}):
        east, west = two(replace(EAST_V1, **change), replace(WEST_V1, looks_for="east.example"))  # type: ignore[arg-type]
        converse(east, west)
        for _ in range(4):
            east.wait(1.0)
            converse(east, west)
        answers.append([(len(d.octets), decode_header(d.octets).encrypted) for d in west.told(SendDatagram)][:2])
        assert len(west.told(SendDatagram)) == 2
    assert answers[0] == answers[1]
