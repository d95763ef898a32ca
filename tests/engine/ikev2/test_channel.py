from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

import pytest

from isthmus.engine.exchange import Inbound
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.channel import Channel, Malformed
from isthmus.engine.ikev2.keys import ike_keys, skeyseed
from isthmus.engine.ikev2.sealing import FragmentLimit
from isthmus.engine.ledger import Ledger
from isthmus.engine.surroundings import Surroundings
from isthmus.events.message import CutSmaller, DatagramDropped, Trigger
from isthmus.model import algorithms
from isthmus.model.address import Datagram, Endpoint
from isthmus.model.plan import Plan
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.quantities import IkeSpi, MessageId
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.message import decode
from isthmus.wire.ikev2.payloads import EncryptedFragment, Notify, Payload, VendorId
from isthmus.wire.registry import ExchangeType, NotifyType
from tests.engine.table import Dice

EAST, WEST = Endpoint(ip_address("192.0.2.1"), 4500), Endpoint(ip_address("198.51.100.2"), 4500)
CIPHER, PRF = algorithms.ENCRYPTION_BY_NAME["aes-128-gcm"], algorithms.PRF_BY_NAME["sha256"]
SUITE = Suite(Protocol.IKE, CIPHER, None, PRF, algorithms.KEY_EXCHANGE_BY_NAME["group31"])
SPIS = IkeSpi(b"initiate"), IkeSpi(b"responds")
LARGE: Sequence[Payload] = [VendorId(bytes([n]) * 200) for n in range(10)]


def channel(*, began_here: bool, size: int | None = 1280) -> Channel:
    ours, theirs = SPIS if began_here else SPIS[::-1]
    sa = IkeSa(
        Ledger(Plan(), Surroundings(Dice())),
        ours,
        *((EAST, WEST) if began_here else (WEST, EAST)),
        began_here=began_here,
    )
    sa.their_spi, sa.suite = theirs, SUITE
    made = Channel(sa)
    seed = skeyseed(PRF, b"nonce" * 8, b"shared")
    made.protect(ike_keys(PRF, seed, b"nonce" * 8, b"".join(SPIS), CIPHER, None))
    made.fragment_limit = FragmentLimit(size, 4) if size else None
    return made


def header(message_id: int = 2, *, response: bool = False) -> Header:
    return Header(*SPIS, ExchangeType.INFORMATIONAL, MessageId(message_id), initiator=not response, response=response)


def feed(receiver: Channel, octets: bytes) -> Inbound | None:
    return receiver.open(Datagram(WEST, EAST, octets), decode(octets))


def drops(channel: Channel) -> list[Trigger]:
    said = []
    while (output := channel.sa.ledger.next_output()) is not None:
        if isinstance(output, DatagramDropped):
            said.append(output.trigger)
    return said


def test_a_large_message_goes_in_pieces_that_fit_and_comes_out_whole() -> None:
    east, west = channel(began_here=True), channel(began_here=False)
    pieces = east.write(header(), LARGE, sealed=True)
    assert len(pieces) == 2
    assert all(len(piece) + 20 + 8 + 4 <= 1280 for piece in pieces)
    assert feed(west, pieces[1]) is None
    whole = feed(west, pieces[0])
    assert whole is not None
    assert list(whole.payloads) == LARGE


def test_without_a_limit_it_goes_in_one_piece() -> None:
    east, west = channel(began_here=True, size=None), channel(began_here=False)
    (octets,) = east.write(header(), LARGE, sealed=True)
    whole = feed(west, octets)
    assert whole is not None
    assert list(whole.payloads) == LARGE


def test_cut_again_it_has_more_and_smaller_pieces_and_stays_so() -> None:
    east, west = channel(began_here=True), channel(began_here=False)
    before = east.write(header(), LARGE, sealed=True)
    feed(west, before[0])
    after = east.write_smaller(header(), LARGE, before)
    assert len(after) > len(before)
    assert all(len(piece) + 32 <= 576 for piece in after)
    assert [feed(west, piece) is not None for piece in after] == [False] * (len(after) - 1) + [True]
    assert all(len(piece) + 32 <= 576 for piece in east.write(header(3), LARGE, sealed=True))
    assert east.write_smaller(header(), LARGE, after) == after


def test_pieces_of_two_cuts_never_mix() -> None:
    east, west = channel(began_here=True, size=600), channel(began_here=False)
    payloads = LARGE[:5]
    before = east.write(header(), payloads, sealed=True)
    after = east.write_smaller(header(), payloads, before)
    totals = [
        last.total for o in (before[0], after[0]) if isinstance(last := decode(o).payloads[-1], EncryptedFragment)
    ]
    assert totals[1] > totals[0]
    feed(west, after[0])
    assert feed(west, before[1]) is None
    assert drops(west) == [Trigger.BAD_FRAGMENT]


def test_what_arrives_everywhere_is_not_cut_again() -> None:
    east = channel(began_here=True)
    small = east.write(header(), LARGE[:2], sealed=True)
    assert east.write_smaller(header(), LARGE[:2], small) == small
    assert not any(isinstance(output, CutSmaller) for output in iter(east.sa.ledger.next_output, None))


def test_we_cut_no_larger_than_the_peer_does() -> None:
    east, west = channel(began_here=True, size=700), channel(began_here=False)
    for piece in east.write(header(), LARGE, sealed=True):
        feed(west, piece)
    answer = west.write(header(response=True), LARGE, sealed=True)
    assert all(len(piece) + 32 <= 700 for piece in answer)


def test_a_fragment_with_a_wrong_icv_takes_no_memory() -> None:
    east, west = channel(began_here=True), channel(began_here=False)
    one, two = east.write(header(), LARGE, sealed=True)
    assert feed(west, one[:-1] + bytes([one[-1] ^ 1])) is None
    assert drops(west) == [Trigger.INTEGRITY_FAILED]
    assert feed(west, two) is None
    assert feed(west, one) is not None


@pytest.mark.parametrize("claim", [(0, 0), (0, 2), (3, 2), (1, 65535)])
def test_impossible_numbers_do_not_even_decode(claim: tuple[int, int]) -> None:
    one, _ = channel(began_here=True).write(header(), LARGE, sealed=True)
    place = 28 + 4
    forged = one[:place] + claim[0].to_bytes(2) + claim[1].to_bytes(2) + one[place + 4 :]
    with pytest.raises(WireError):
        decode(forged)


def test_changed_numbers_and_first_payload_break_the_icv() -> None:
    east, west = channel(began_here=True), channel(began_here=False)
    one, _ = east.write(header(), LARGE, sealed=True)
    for place, value in ((28, 44), (33, 2), (35, 9)):
        forged = one[:place] + bytes([value]) + one[place + 1 :]
        assert feed(west, forged) is None
    assert set(drops(west)) == {Trigger.INTEGRITY_FAILED}


def test_a_whole_message_is_taken_while_fragments_of_it_wait() -> None:
    east, west = channel(began_here=True), channel(began_here=False)
    one, _ = east.write(header(), LARGE, sealed=True)
    feed(west, one)
    east.fragment_limit = None
    (whole,) = east.write(header(), LARGE, sealed=True)
    taken = feed(west, whole)
    assert taken is not None
    assert list(taken.payloads) == LARGE


def test_requests_and_responses_with_one_number_do_not_mix() -> None:
    east, west = channel(began_here=True), channel(began_here=False)
    request = east.write(header(), LARGE, sealed=True)
    response = east.write(replace(header(), response=True), list(reversed(LARGE)), sealed=True)
    for piece in (request[0], response[0]):
        assert feed(west, piece) is None
    first, second = feed(west, request[1]), feed(west, response[1])
    assert first is not None
    assert second is not None
    assert list(first.payloads) == LARGE
    assert list(second.payloads) == list(reversed(LARGE))


def test_fragments_before_keys_take_no_memory() -> None:
    east = channel(began_here=True)
    one, _ = east.write(header(), LARGE, sealed=True)
    bare = channel(began_here=False)
    bare.wipe()
    assert feed(bare, one) is None
    assert drops(bare) == [Trigger.NOT_SEALED]


def test_an_authentic_message_that_makes_no_sense_is_told_apart() -> None:
    east, west = channel(began_here=True), channel(began_here=False)
    (octets,) = east.write(header(), [Notify(NotifyType.COOKIE2)], sealed=True)
    with pytest.raises(Malformed):
        feed(west, octets)
