from hypothesis import given
from hypothesis import strategies as st

from isthmus.engine.ikev2.first_look import first_look
from isthmus.engine.outputs import SendDatagram
from isthmus.model.quantities import IkeSpi, MessageId
from isthmus.wire.ikev2.header import Header, decode_header
from isthmus.wire.ikev2.message import decode, encode
from isthmus.wire.ikev2.payloads import Nonce, Notify, Payload
from isthmus.wire.registry import ExchangeType, NotifyType
from tests.engine.table import two

HEADER = Header(
    IkeSpi(b"initiate"), IkeSpi(bytes(8)), ExchangeType.IKE_SA_INIT, MessageId(0), initiator=True, response=False
)


def look(*payloads: Payload) -> tuple[bytes, bytes] | None:
    octets = encode(HEADER, payloads)
    seen = first_look(decode_header(octets), octets)
    return (seen.nonce, seen.cookie) if seen else None


def test_it_reads_the_nonce_of_a_real_request_as_the_decoder_does() -> None:
    east, _ = two()
    request: SendDatagram = east.sent[0]
    message = decode(request.octets)
    seen = first_look(message.header, request.octets)
    assert seen is not None
    assert [seen.nonce] == [p.data for p in message.payloads if isinstance(p, Nonce)]
    assert seen.cookie == b""


def test_a_cookie_counts_only_as_the_first_payload() -> None:
    cookie = Notify(NotifyType.COOKIE, b"sweet")
    assert look(cookie, Nonce(bytes(16))) == (bytes(16), b"sweet")
    assert look(Notify(NotifyType.REDIRECT_SUPPORTED), cookie, Nonce(bytes(16))) == (bytes(16), b"")


def test_without_a_nonce_there_is_nothing_to_see() -> None:
    assert look(Notify(NotifyType.COOKIE, b"sweet")) is None
    assert look() is None


@given(st.binary(max_size=120), st.integers(0, 255))
def test_it_never_fails_whatever_the_octets(tail: bytes, first: int) -> None:
    octets = bytearray(encode(HEADER, [])) + tail
    octets[16], octets[24:28] = first, len(octets).to_bytes(4)
    first_look(decode_header(bytes(octets)), bytes(octets))
