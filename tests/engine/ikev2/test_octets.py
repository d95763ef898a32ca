"""What authentication is over: RFC 7296, 2.15, and RFC 9242, 3.3.2, against the RFCs' figures built by hand."""

from __future__ import annotations

import hashlib
import hmac
import struct
from ipaddress import ip_address

import pytest

from isthmus.engine.exchange import Inbound
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.channel import Channel
from isthmus.engine.ikev2.keys import ike_keys, skeyseed
from isthmus.engine.ikev2.octets import IntAuth, intermediate_octets, signed_octets
from isthmus.engine.ikev2.sealing import FragmentLimit
from isthmus.engine.ledger import Ledger
from isthmus.engine.surroundings import Surroundings
from isthmus.model import algorithms
from isthmus.model.address import Datagram, Endpoint
from isthmus.model.plan import Plan
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.quantities import IkeSpi, MessageId
from isthmus.model.secret import Secret
from isthmus.wire.ikev2.header import HEADER_SIZE, Header
from isthmus.wire.ikev2.message import decode, encode_payloads
from isthmus.wire.ikev2.payloads import KeyExchange, Notify
from isthmus.wire.registry import ExchangeType, KeMethod, NotifyType, PayloadType
from tests.engine.table import Dice

EAST, WEST = Endpoint(ip_address("192.0.2.1"), 4500), Endpoint(ip_address("198.51.100.2"), 4500)
SPI_I, SPI_R = b"initiate", b"responds"
SHA256 = algorithms.PRF_BY_NAME["sha256"]
PUBLIC = bytes(range(256)) * 6
NOTIFIED = b"and something beside it"

SUITES = [
    ("aes-128-gcm", None),
    ("chacha20-poly1305", None),
    ("aes-256-cbc", "sha256"),
    ("3des", "sha1"),
]


def by_hand(message_id: int, flags: int) -> bytes:
    """IntAuth_A | IntAuth_P of one message with a KE payload and a notification, from the formats of RFC 7296, 3."""
    ke = struct.pack(">BBHHH", 41, 0, 8 + len(PUBLIC), 36, 0) + PUBLIC
    notify = struct.pack(">BBHBBH", 0, 0, 8 + len(NOTIFIED), 0, 0, 16441) + NOTIFIED
    inside = ke + notify
    sk = struct.pack(">BBH", 34, 0, 4 + len(inside))
    header = SPI_I + SPI_R + struct.pack(">BBBBII", 46, 0x20, 43, flags, message_id, 28 + 4 + len(inside))
    return header + sk + inside


def channel(cipher: str, integrity: str | None, *, began_here: bool, size: int | None) -> Channel:
    encryption = algorithms.ENCRYPTION_BY_NAME[cipher]
    signing = algorithms.INTEGRITY_BY_NAME[integrity] if integrity else None
    ends = (EAST, WEST) if began_here else (WEST, EAST)
    sa = IkeSa(
        Ledger(Plan(), Surroundings(Dice())), IkeSpi(SPI_I if began_here else SPI_R), *ends, began_here=began_here
    )
    sa.their_spi = IkeSpi(SPI_R if began_here else SPI_I)
    sa.suite = Suite(Protocol.IKE, encryption, signing, SHA256, algorithms.KEY_EXCHANGE_BY_NAME["group31"])
    made = Channel(sa)
    seed = skeyseed(SHA256, b"nonce" * 8, b"shared")
    made.protect(ike_keys(SHA256, seed, b"nonce" * 8, SPI_I + SPI_R, encryption, signing))
    made.fragment_limit = FragmentLimit(size, 4) if size else None
    return made


def prf(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, hashlib.sha256)


@pytest.mark.parametrize(("cipher", "integrity"), SUITES)
@pytest.mark.parametrize("size", [None, 1280, 576])
@pytest.mark.parametrize("response", [False, True])
def test_both_ends_sign_the_message_as_if_nobody_had_sealed_or_cut_it(
    cipher: str, integrity: str | None, size: int | None, response: bool
) -> None:
    sender = channel(cipher, integrity, began_here=not response, size=size)
    receiver = channel(cipher, integrity, began_here=response, size=size)
    payloads = [
        KeyExchange(KeMethod(36), PUBLIC),
        Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, NOTIFIED),
    ]
    header = Header(
        IkeSpi(SPI_I),
        IkeSpi(SPI_R),
        ExchangeType.IKE_INTERMEDIATE,
        MessageId(1),
        initiator=not response,
        response=response,
    )
    datagrams = sender.write(header, payloads, sealed=True)
    assert (len(datagrams) > 1) is (size is not None)
    expected = by_hand(1, 0x20 if response else 0x08)

    assert intermediate_octets(datagrams[0][:HEADER_SIZE], *encode_payloads(payloads)) == expected
    heard: Inbound | None = None
    for octets in reversed(datagrams):
        assert heard is None
        heard = receiver.open(Datagram(WEST, EAST, octets), decode(octets))
    assert heard is not None
    assert intermediate_octets(heard.outer, heard.first, heard.octets) == expected


def test_each_exchange_is_signed_with_the_keys_that_protected_it_and_the_message_id_of_ike_auth_ends_it() -> None:
    intermediate = IntAuth()
    assert intermediate.octets == b""
    intermediate.add(SHA256, Secret(b"pi1"), Secret(b"pr1"), b"request 1", b"response 1")
    intermediate.add(SHA256, Secret(b"pi2"), Secret(b"pr2"), b"request 2", b"response 2")
    initiator = prf(b"pi2", prf(b"pi1", b"request 1") + b"request 2")
    responder = prf(b"pr2", prf(b"pr1", b"response 1") + b"response 2")
    assert intermediate.octets == initiator + responder + struct.pack(">I", 3)


def test_int_auth_ends_what_is_signed() -> None:
    octets = signed_octets(SHA256, b"message", b"nonce", Secret(b"sk_p"), b"identity", b"IntAuth")
    assert octets == b"message" + b"nonce" + prf(b"sk_p", b"identity") + b"IntAuth"


def test_payloads_that_were_not_sealed_are_signed_as_well() -> None:
    unsealed = struct.pack(">BBH", 46, 0, 6) + b"ab"
    outer = SPI_I + SPI_R + struct.pack(">BBBBII", 43, 0x20, 43, 8, 1, 999) + unsealed
    inside = struct.pack(">BBH", 0, 0, 4)
    expected = outer[:24] + struct.pack(">I", 28 + 6 + 4 + 4) + unsealed + struct.pack(">BBH", 40, 0, 8) + inside
    assert intermediate_octets(outer, PayloadType.NONCE, inside) == expected
