"""Each invariant is proved able to fail: here is the bug that it would find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from isthmus.dataplane.memory import MemoryPlane
from isthmus.engine.commands import ProgramFailed
from isthmus.engine.outputs import Program, SendDatagram
from isthmus.events.ike import EngineFault, IkeStarted
from isthmus.model.address import Endpoint
from isthmus.model.algorithms import ENCRYPTION_BY_NAME
from isthmus.model.plan import PreSharedKey, SessionSettings
from isthmus.model.quantities import IkeSpi, InboundSpi, Instant, MessageId, OutboundSpi, Seconds, Ticket
from isthmus.model.sa_spec import Direction, InstallPolicy, InstallSa, PolicySpec, RemoveSa, SaSpec
from isthmus.model.secret import Secret
from isthmus.model.selectors import TrafficSelector
from isthmus.sim import invariants
from isthmus.sim.failure import SimulationFailure
from isthmus.sim.invariants import duplicates
from isthmus.sim.network import Frame
from isthmus.sim.plans import EAST, packet_for
from isthmus.sim.site import LOOK_AGAIN, Site
from isthmus.sim.world import World
from isthmus.wire.ikev1 import header as header_v1
from isthmus.wire.ikev2 import message
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.payloads import Encrypted, EncryptedFragment, Nonce, Notify, Payload
from isthmus.wire.registry import ExchangeType, ExchangeTypeV1, NotifyType, PayloadType
from tests.sim.puppet import child_view, ike_view, puppet, say, stage

EAST_LAN = TrafficSelector.of_network(ip_network("10.1.0.0/16"))
WEST_LAN = TrafficSelector.of_network(ip_network("10.2.0.0/16"))


def outbound(here: Site, there: Site, spi: int = 0x1001, key: bytes = bytes(range(20)), **changes: object) -> SaSpec:
    spec = SaSpec(
        direction=Direction.OUTBOUND,
        spi=OutboundSpi(spi),
        child=f"{there.name}:lan",
        interface="tunnel.1",
        local=Endpoint(here.address, 4500),
        remote=Endpoint(there.address, 4500),
        udp=True,
        local_selectors=(EAST_LAN,),
        remote_selectors=(WEST_LAN,),
        encryption=ENCRYPTION_BY_NAME["aes-128-gcm"],
        encryption_key=Secret(key),
        integrity=None,
        integrity_key=Secret(b""),
    )
    return replace(spec, **changes)  # type: ignore[arg-type]


def inbound(here: Site, there: Site, spi: int = 0x1001, key: bytes = bytes(range(20)), **changes: object) -> SaSpec:
    spec = replace(
        outbound(here, there, spi, key),
        direction=Direction.INBOUND,
        spi=InboundSpi(spi),
        local_selectors=(WEST_LAN,),
        remote_selectors=(EAST_LAN,),
    )
    return replace(spec, **changes)  # type: ignore[arg-type]


def install(site: Site, *specs: SaSpec, first: int = 1) -> None:
    say(site, *(Program(Ticket(n), InstallSa(spec)) for n, spec in enumerate(specs, first)))


def ike(
    *payloads: Payload,
    exchange: ExchangeType = ExchangeType.INFORMATIONAL,
    number: int = 0,
    response: bool = False,
    responder_spi: bytes = b"R" * 8,
) -> bytes:
    header = Header(
        IkeSpi(b"I" * 8), IkeSpi(responder_spi), exchange, MessageId(number), initiator=True, response=response
    )
    return message.encode(header, payloads)


def sealed(content: bytes = b"content of the message, 28 bytes", **header: object) -> bytes:
    return ike(Encrypted(PayloadType.NONE, content), **header)  # type: ignore[arg-type]


def send(site: Site, there: Site, octets: bytes) -> None:
    say(site, SendDatagram(Endpoint(site.address, 500), Endpoint(there.address, 500), octets))


class CarelessPlane(MemoryPlane):
    """Takes an inbound SPI twice."""

    def _inbound_spi_taken(self, spec: SaSpec) -> bool:
        return False


Mutant = Callable[[World, Site, Site], None]


def two_inbound_sas_of_one_spi(_: World, east: Site, west: Site) -> None:
    east.plane = CarelessPlane(lambda: Instant(0.0))
    other = inbound(east, west, remote=Endpoint(ip_address("203.0.113.9"), 4500), key=bytes(20))
    install(east, inbound(east, west), other)


def ends_with_different_keys(_: World, east: Site, west: Site) -> None:
    install(west, inbound(west, east, key=bytes(20)))
    install(east, outbound(east, west))


def ends_with_different_selectors(_: World, east: Site, west: Site) -> None:
    install(west, inbound(west, east, remote_selectors=(WEST_LAN,)))
    install(east, outbound(east, west))


def one_key_for_both_directions(_: World, east: Site, west: Site) -> None:
    install(east, inbound(east, west, 0x2000), outbound(east, west, 0x3000))


def a_packet_as_it_was(world: World, east: Site, west: Site) -> None:
    clear = Frame(Endpoint(east.address, 0), Endpoint(west.address, 0), packet_for(EAST.proxy_ids[0]), udp=False)
    world.network.send(clear)


def an_unsealed_request(_: World, east: Site, west: Site) -> None:
    send(east, west, ike(Nonce(bytes(16))))


def something_that_is_no_ike(_: World, east: Site, west: Site) -> None:
    send(east, west, b"hello")


def a_key_in_a_message(_: World, east: Site, west: Site) -> None:
    peer = east.plan.peers["west"].authentication
    assert isinstance(peer, PreSharedKey)
    send(east, west, sealed(b"the key is " + peer.secret.reveal()))


def a_key_of_an_sa_that_is_gone(world: World, east: Site, west: Site) -> None:
    into = inbound(east, west, 0x2000, remote_selectors=(EAST_LAN,))
    child = child_view(into, outbound(east, west, 0x3000, key=bytes(20)))
    puppet(east).sas = (ike_view(east, child),)
    install(east, into, outbound(east, west, 0x3000, key=bytes(20)))

    def end() -> None:
        puppet(east).sas = ()
        say(east, Program(Ticket(3), RemoveSa(into.id)), Program(Ticket(4), RemoveSa(child.outbound)))

    world.agenda.after(Seconds(1.0), end)
    leak = sealed(b"the old key is " + into.encryption_key.reveal())
    world.agenda.after(Seconds(2.0), lambda: send(west, east, leak))


def another_message_under_an_old_id(_: World, east: Site, west: Site) -> None:
    send(east, west, sealed(b"one content, and not another one", number=1))
    send(east, west, sealed(b"another content, and not the old", number=1))


def a_message_id_left_out(_: World, east: Site, west: Site) -> None:
    send(east, west, sealed(number=1))
    send(east, west, sealed(number=3))


def in_version_one(content: bytes, exchange: ExchangeTypeV1) -> bytes:
    header = header_v1.Header(IkeSpi(b"I" * 8), IkeSpi(b"R" * 8), exchange, MessageId(7), encrypted=True)
    return header_v1.write_header(header, 0, header_v1.HEADER_SIZE + len(content)) + content


def an_iv_of_version_one_used_twice(_: World, east: Site, west: Site) -> None:
    for content in (bytes(16), bytes([1] * 16)):
        send(east, west, in_version_one(content, ExchangeTypeV1.INFORMATIONAL))


def a_number_of_version_one_used_for_another_exchange(_: World, east: Site, west: Site) -> None:
    for exchange in (ExchangeTypeV1.QUICK_MODE, ExchangeTypeV1.INFORMATIONAL):
        send(east, west, in_version_one(bytes(16), exchange))


def a_sequence_number_again(world: World, east: Site, west: Site) -> None:
    install(east, outbound(east, west))
    say(east, Program(Ticket(2), InstallPolicy(PolicySpec("west:lan", "tunnel.1", 1, (EAST_LAN,), (WEST_LAN,)))))
    for _ in range(2):
        east.plane._sas[outbound(east, west).id].sequence = 0
        emission = east.plane.send("tunnel.1", packet_for(EAST.proxy_ids[0]))
        assert emission is not None
        world.network.send(Frame(emission.local, emission.remote, emission.esp))


def an_sa_that_nobody_owns(_: World, east: Site, west: Site) -> None:
    install(east, inbound(east, west))


def a_child_that_cannot_receive(_: World, east: Site, west: Site) -> None:
    into, out = inbound(east, west, 0x2000), outbound(east, west, 0x3000, key=bytes(20))
    puppet(east).sas = (ike_view(east, child_view(into, out)),)
    install(east, out)


def a_child_that_cannot_send(_: World, east: Site, west: Site) -> None:
    into, out = inbound(east, west, 0x2000), outbound(east, west, 0x3000, key=bytes(20))
    puppet(east).sas = (ike_view(east, child_view(into, out)),)
    install(east, into)


def a_replaced_sa_that_stays(world: World, east: Site, west: Site) -> None:
    a_sound_child(world, east, west)
    install(east, inbound(east, west, 0x2001, bytes([7] * 20)), first=3)
    world.agenda.after(Seconds(11.0), east.tick)


def half_open_without_end(world: World, east: Site, west: Site) -> None:
    gateway = puppet(east)
    gateway.plan = replace(gateway.plan, settings=SessionSettings(maximum_half_opened_sa=10))
    gateway.sas = tuple(ike_view(east, state="connecting", number=n) for n in range(12))
    world.agenda.after(LOOK_AGAIN, east.tick)  # it said nothing of them


def ike_sas_without_end(_: World, east: Site, west: Site) -> None:
    puppet(east).sas = tuple(ike_view(east, number=n) for n in range(7))
    ends = Endpoint(east.address, 500), Endpoint(west.address, 500)
    say(east, IkeStarted(at=east.now, role="initiator", local=ends[0], remote=ends[1]))


def an_operation_that_is_lost(_: World, east: Site, west: Site) -> None:
    def lose(program: Program) -> list[ProgramFailed]:
        east.ledger.ask(program)
        return []

    east._program = lose  # type: ignore[method-assign]
    install(east, inbound(east, west))


def a_ticket_used_twice(_: World, east: Site, west: Site) -> None:
    install(east, inbound(east, west))
    install(east, outbound(east, west))


def a_fault(_: World, east: Site, west: Site) -> None:
    say(east, EngineFault(at=Instant(0.0), error="KeyError", trace=("somewhere.py:1",)))


def an_exception(world: World, east: Site, west: Site) -> None:
    puppet(west).raising = KeyError("unexpected")
    send(east, west, sealed(number=0))


def a_timer_that_stays_where_it_is(_: World, east: Site, west: Site) -> None:
    puppet(east).timer = Instant(0.5)
    east.tick()


MUTANTS: dict[str, tuple[Mutant, ...]] = {
    invariants.InboundSpisAreUnique.story: (two_inbound_sas_of_one_spi,),
    invariants.EndsAgree.story: (ends_with_different_keys, ends_with_different_selectors),
    invariants.KeysAreFresh.story: (one_key_for_both_directions,),
    invariants.NothingInTheClear.story: (a_packet_as_it_was, an_unsealed_request, something_that_is_no_ike),
    invariants.SecretsStayHome.story: (a_key_in_a_message, a_key_of_an_sa_that_is_gone),
    invariants.MessageIdsRise.story: (another_message_under_an_old_id, a_message_id_left_out),
    invariants.NumbersOfVersionOneAreFresh.story: (
        an_iv_of_version_one_used_twice,
        a_number_of_version_one_used_for_another_exchange,
    ),
    invariants.SequenceNumbersRise.story: (a_sequence_number_again,),
    invariants.PlaneHoldsWhatTheGatewaySays.story: (
        an_sa_that_nobody_owns,
        a_child_that_cannot_receive,
        a_child_that_cannot_send,
        a_replaced_sa_that_stays,
    ),
    invariants.StateIsBounded.story: (half_open_without_end, ike_sas_without_end),
    invariants.EffectsAreAnswered.story: (an_operation_that_is_lost, a_ticket_used_twice),
    invariants.NoFaults.story: (a_fault,),
    "receive() never raises": (an_exception,),
    "a timer that was handled lies in the future": (a_timer_that_stays_where_it_is,),
}


@pytest.mark.parametrize(
    ("story", "mutant"),
    [(story, mutant) for story, mutants in MUTANTS.items() for mutant in mutants],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_bug_breaks_the_invariant_that_names_it(story: str, mutant: Mutant) -> None:
    world, east, west = stage()
    world.agenda.after(Seconds(0.1), lambda: mutant(world, east, west))
    with pytest.raises(SimulationFailure) as failure:
        world.run(limit=Seconds(20.0))
    assert failure.value.why.startswith(story)


@pytest.mark.parametrize("offset", range(8))
def test_a_key_is_found_wherever_it_begins_in_a_message(offset: int) -> None:
    world, east, west = stage()
    peer = east.plan.peers["west"].authentication
    assert isinstance(peer, PreSharedKey)
    leak = sealed(bytes(20 + offset) + peer.secret.reveal())
    world.agenda.after(Seconds(0.1), lambda: send(west, east, leak))
    with pytest.raises(SimulationFailure, match=invariants.SecretsStayHome.story):
        world.run(limit=Seconds(1.0))


def test_every_invariant_has_a_mutant() -> None:
    assert {invariant.story for invariant in invariants.all_invariants()} <= set(MUTANTS)


def a_sound_child(world: World, east: Site, west: Site) -> None:
    into, out = inbound(east, west, 0x2000, remote_selectors=(EAST_LAN,)), outbound(east, west, 0x3000, key=bytes(20))
    puppet(east).sas = (ike_view(east, child_view(into, out)),)
    install(east, into, out)


def a_replaced_sa_that_serves_late_packets(world: World, east: Site, west: Site) -> None:
    a_sound_child(world, east, west)
    late = inbound(east, west, 0x2001, bytes([7] * 20))
    install(east, late, first=3)
    world.agenda.after(Seconds(0.5), lambda: say(east, Program(Ticket(4), RemoveSa(late.id))))


def a_successor_that_waits(_: World, east: Site, west: Site) -> None:
    old = inbound(east, west, 0x2000), outbound(east, west, 0x3000, key=bytes(20))
    new = inbound(east, west, 0x2001, bytes([7] * 20)), outbound(east, west, 0x3001, key=bytes([8] * 20))
    puppet(east).sas = (ike_view(east, child_view(*old), child_view(*new)),)
    install(east, *old, new[0])


def messages_that_are_repeated(_: World, east: Site, west: Site) -> None:
    for number in (0, 0, 1, 1, 0, 2):
        send(east, west, sealed(number=number))
        send(east, west, sealed(number=number, response=True))


def copies_of_a_message_of_version_one(_: World, east: Site, west: Site) -> None:
    for _copy in range(2):
        send(east, west, in_version_one(bytes(16), ExchangeTypeV1.INFORMATIONAL))


def fragments_cut_anew(_: World, east: Site, west: Site) -> None:
    for total in (2, 3):
        for number in range(1, total + 1):
            send(east, west, ike(EncryptedFragment(PayloadType.NONE, number, total, bytes([total]) * 28), number=1))


def an_init_that_is_said_again_with_a_cookie(_: World, east: Site, west: Site) -> None:
    for cookie in (b"", b"cookie"):
        asked = ike(Notify(NotifyType.COOKIE, cookie), exchange=ExchangeType.IKE_SA_INIT, responder_spi=bytes(8))
        send(east, west, asked)


def an_error_where_no_sa_is_known(_: World, east: Site, west: Site) -> None:
    send(east, west, ike(Notify(NotifyType.INVALID_IKE_SPI), number=7, response=True))


@pytest.mark.parametrize(
    "sound",
    [
        a_sound_child,
        a_replaced_sa_that_serves_late_packets,
        a_successor_that_waits,
        messages_that_are_repeated,
        copies_of_a_message_of_version_one,
        fragments_cut_anew,
        an_init_that_is_said_again_with_a_cookie,
        an_error_where_no_sa_is_known,
    ],
    ids=lambda value: value.__name__,
)
def test_what_is_sound_breaks_none(sound: Mutant) -> None:
    world, east, west = stage()
    sound(world, east, west)
    world.run(limit=Seconds(1.0))


def test_a_twin_is_a_duplicate_and_one_that_is_leaving_is_not() -> None:
    _, east, west = stage()
    pairs = [(inbound(east, west, 0x2000 + n), outbound(east, west, 0x3000 + n)) for n in range(2)]
    twins = [child_view(*specs) for specs in pairs]
    puppet(east).sas = (ike_view(east, *twins),)
    assert list(duplicates(east)) == ["2 Child SAs of west:lan at east"]
    puppet(east).sas = (ike_view(east, twins[0], replace(twins[1], state="rekeyed")),)
    east.tick()
    assert list(duplicates(east)) == []


def test_settling_finds_a_twin() -> None:
    world, east, west = stage()
    pairs = [
        (
            inbound(east, west, 0x2000 + n, bytes([n, *range(19)])),
            outbound(east, west, 0x3000 + n, bytes([9, n, *range(18)])),
        )
        for n in range(2)
    ]
    puppet(east).sas = (ike_view(east, *(child_view(*specs) for specs in pairs)),)
    install(east, *(spec for specs in pairs for spec in specs))
    with pytest.raises(SimulationFailure, match="2 Child SAs of west:lan at east"):
        world.settle()
