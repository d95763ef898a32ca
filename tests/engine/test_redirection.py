from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.engine.commands import Resolved
from isthmus.engine.exchange import Draft
from isthmus.engine.ikev2.steps.first_child import AgreeOnFirstChild
from isthmus.engine.outputs import Resolve
from isthmus.engine.redirection import MAX_REDIRECTS, REDIRECT_PERIOD, Redirect, Redirects, decode_redirect
from isthmus.events.child import ChildInstalled
from isthmus.events.ike import IkeDeleted, IkeEstablished, IkeRedirected, IkeStarted, RedirectRefused
from isthmus.model.address import Address
from isthmus.model.quantities import Instant, Seconds
from isthmus.sim.plans import EAST, WEST
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import NotifyType
from tests.engine.ikev2.test_extras import say
from tests.engine.table import connected, converse, two

HERE, THERE, OTHER = ip_address("192.0.2.1"), ip_address("198.51.100.2"), ip_address("198.51.100.9")


@given(st.one_of(st.ip_addresses(), st.from_regex(r"[a-z]{1,60}\.example", fullmatch=True)), st.binary(max_size=64))
def test_what_is_written_is_read_again(gateway: Address | str, nonce: bytes) -> None:
    assert decode_redirect(Redirect(gateway, nonce).encode()) == Redirect(gateway, nonce)


@given(st.binary(max_size=40))
def test_nonsense_is_nothing(data: bytes) -> None:
    read = decode_redirect(data)
    assert read is None or read.encode() == data


@pytest.mark.parametrize(
    "data", [b"", b"\1", b"\1\4\1\2\3", b"\1\3\1\2\3", b"\2\4\1\2\3\4", b"\3\0", b"\3\2\xff\xfe", b"\4\1a"]
)
def test_lengths_and_types_that_do_not_fit_are_refused(data: bytes) -> None:
    assert decode_redirect(data) is None


@pytest.mark.parametrize(
    "gateway",
    [
        *map(ip_address, ("255.255.255.255", "224.0.0.1", "0.0.0.0", "127.0.0.1", "ff02::1", "2001:db8::1")),
        HERE,
        THERE,
        "gateway",
        "gateway.example; rm",
        "gateway example.example",
        f"{'label.' * 50}example",
    ],
)
def test_there_are_places_where_we_do_not_go(gateway: Address | str) -> None:
    redirects = Redirects()
    assert redirects.objection(gateway, HERE, THERE, Instant(0.0)) is not None
    assert not redirects.followed


def test_five_redirects_in_five_minutes_are_followed_and_no_more() -> None:
    redirects = Redirects()
    for second in range(MAX_REDIRECTS):
        assert redirects.objection(OTHER, HERE, THERE, Instant(float(second))) is None
    assert redirects.objection(OTHER, HERE, THERE, Instant(REDIRECT_PERIOD - 0.1)) is not None
    assert redirects.objection(OTHER, HERE, THERE, Instant(REDIRECT_PERIOD)) is None


def test_in_the_middle_of_an_ike_sa_the_new_gateway_is_called_and_the_old_one_serves_on() -> None:
    east, west = connected()
    say(west, Notify(NotifyType.REDIRECT, Redirect(OTHER).encode()))
    converse(east, west, until=lambda: len(east.told(IkeStarted)) == 2)
    assert [event.gateway for event in east.told(IkeRedirected)] == [str(OTHER)]
    assert east.told(IkeStarted)[-1].remote.address == OTHER
    assert not east.told(IkeDeleted)
    assert len(east.told(IkeEstablished)) == 1


def test_the_initiator_sends_nobody_elsewhere() -> None:
    east, west = connected()
    say(east, Notify(NotifyType.REDIRECT, Redirect(OTHER).encode()))
    converse(east, west)
    assert not west.told(IkeRedirected)
    assert not west.told(RedirectRefused)


def test_a_name_is_looked_up_before_anybody_goes_there() -> None:
    east, west = connected()
    say(west, Notify(NotifyType.REDIRECT, Redirect("gateway.example").encode()))
    converse(east, west)
    assert [(asked.peer, asked.name) for asked in east.told(Resolve)] == [("west", "gateway.example")]
    east.command(Resolved("west", "other.example", (OTHER,), Seconds(60.0)))
    assert not east.told(IkeRedirected), "nobody asked for that one"
    east.command(Resolved("west", "gateway.example", (OTHER,), Seconds(60.0)))
    assert east.told(IkeStarted)[-1].remote.address == OTHER
    east.command(Resolved("west", "gateway.example", (OTHER,), Seconds(60.0)))
    assert len(east.told(IkeRedirected)) == 1


def test_a_gateway_that_knows_who_we_are_may_send_us_elsewhere_instead_of_a_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RFC 5685, 6: in the response of IKE_AUTH, authenticated; we delete what stands there and go."""
    proper = AgreeOnFirstChild.write

    def send_on(step: AgreeOnFirstChild, leg: int, draft: Draft) -> None:
        if leg == 1:
            draft.notify(NotifyType.REDIRECT, Redirect(OTHER).encode())
        else:
            proper(step, leg, draft)

    monkeypatch.setattr(AgreeOnFirstChild, "write", send_on)
    east, west = two()
    converse(east, west, until=lambda: len(east.told(IkeStarted)) == 2)
    assert [event.gateway for event in east.told(IkeRedirected)] == [str(OTHER)]
    assert east.told(IkeStarted)[-1].remote.address == OTHER
    assert not east.told(ChildInstalled)
    assert not east.told(IkeEstablished)
    converse(east, west)
    assert west.told(IkeDeleted), "the first gateway hears that we are gone"


def test_a_redirect_to_where_we_are_changes_nothing() -> None:
    east, west = connected(EAST, WEST)
    say(west, Notify(NotifyType.REDIRECT, Redirect(ip_address(WEST.address)).encode()))
    converse(east, west)
    assert east.told(RedirectRefused)
    assert len(east.told(IkeStarted)) == 1
