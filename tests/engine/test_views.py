"""What the engine shows of itself, at every stage of a tunnel's life."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from isthmus.engine import commands
from isthmus.engine.views import ChildView, IkeSaView, TunnelView
from isthmus.model.plan import Mode, Start, Version
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import NO_SPI
from isthmus.model.sa_spec import Direction
from isthmus.sim.plans import EAST, WEST, Party, ProxyId, plan_of
from tests.engine.table import Seat, carry, connected, converse, seat, two

TWO = (*EAST.proxy_ids, ProxyId("dmz", "10.3.0.0/16", "10.2.0.0/16"))


def _ike(at: Seat) -> IkeSaView:
    (only,) = at.gateway.ike_sas()
    return only


def _child(at: Seat) -> ChildView:
    (only,) = _ike(at).children
    return only


def _tunnel(at: Seat) -> TunnelView:
    (only,) = at.gateway.tunnels()
    return only


def _lone(party: Party) -> Seat:
    """A gateway whose peer says nothing."""
    return seat(plan_of(party, WEST))


def test_an_initiator_that_waits_for_an_answer_is_connecting() -> None:
    east, _ = two()
    ike = _ike(east)
    assert (ike.state, ike.role, ike.peer) == ("connecting", "initiator", "west")
    assert (ike.responder_spi, ike.suite, ike.established_at, ike.children) == (NO_SPI, None, None, ())
    assert ike.initiator_spi != NO_SPI
    assert (_tunnel(east).state, _tunnel(east).child) == ("negotiating", "west:lan")


def test_a_responder_does_not_know_yet_who_speaks() -> None:
    east, west = two()
    carry(east.take(), west)
    ike = _ike(west)
    assert (ike.state, ike.role, ike.peer, ike.remote_id) == ("connecting", "responder", None, None)
    assert west.gateway.half_open == 1


def test_both_ends_of_an_ike_sa_show_the_same() -> None:
    east, west = connected()
    here, there = _ike(east), _ike(west)
    assert (here.initiator_spi, here.responder_spi) == (there.initiator_spi, there.responder_spi)
    assert (here.local, here.remote) == (there.remote, there.local)
    assert (
        (here.local_id, here.remote_id)
        == (there.remote_id, there.local_id)
        == (
            "fqdn:east.example",
            "fqdn:west.example",
        )
    )
    assert here.suite == there.suite
    assert {here.state, there.state} == {"established"}
    assert (here.role, there.role) == ("initiator", "responder")
    assert (here.version, here.nat) == (Version.IKEV2, "none")
    assert west.gateway.half_open == 0


def test_both_ends_of_a_child_show_it_crosswise() -> None:
    east, west = connected()
    here, there = _child(east), _child(west)
    assert (here.spi_in, here.spi_out) == (there.spi_out, there.spi_in)
    assert (here.local_ts, here.remote_ts) == (there.remote_ts, there.local_ts)
    assert (here.name, here.tunnel, here.proxy_id, here.peer) == ("west:lan", "west", "lan", "west")
    assert (here.protocol, here.mode, here.state) == (Protocol.ESP, Mode.TUNNEL, "installed")
    assert here.suite == there.suite
    assert here.udp == there.udp


def test_a_child_names_its_sas_as_the_data_plane_does() -> None:
    east, _ = connected()
    child = _child(east)
    assert (child.inbound.direction, child.inbound.spi) == (Direction.INBOUND, child.spi_in)
    assert (child.outbound.direction, child.outbound.spi) == (Direction.OUTBOUND, child.spi_out)


def test_deadlines_lie_within_the_lifetimes() -> None:
    east, _ = connected()
    ike, child = _ike(east), _child(east)
    assert ike.rekey_at is not None
    assert 0.8 <= ike.rekey_at / EAST.ike_lifetime <= 0.9
    assert ike.reauth_at is None
    assert child.rekey_at is not None
    assert child.expires_at is not None
    assert 0.8 <= child.rekey_at / EAST.child_lifetime <= 0.9
    assert child.expires_at == child.established_at + EAST.child_lifetime


def test_a_reauthentication_that_is_due_is_shown() -> None:
    east, _ = connected(replace(EAST, authentication_multiple=3))
    assert _ike(east).reauth_at == 3 * EAST.ike_lifetime


def test_the_replay_window_is_none_where_it_is_off() -> None:
    assert _child(connected()[0]).replay_window == 1024
    off = replace(EAST.anti_replay, enabled=False)
    assert _child(connected(replace(EAST, anti_replay=off))[0]).replay_window == 0


def test_who_rekeys_shows_it() -> None:
    east, west = connected()
    east.command(commands.RekeyChild("west:lan"))
    assert _child(east).state == "rekeying"
    converse(east, west)
    assert "installed" in {child.state for child in _ike(east).children}
    east.wait(30.0)
    west.wait(30.0)
    converse(east, west)
    assert _child(east).state == "installed"
    east.command(commands.RekeyIke("west"))
    assert _ike(east).state == "rekeying"


def test_who_says_good_bye_is_deleting_until_it_is_answered() -> None:
    east, west = connected()
    east.command(commands.Shutdown())
    assert _ike(east).state == "deleting"
    assert not east.gateway.idle
    converse(east, west)
    assert east.gateway.ike_sas() == ()
    assert east.gateway.idle


def test_each_configured_child_has_a_row_up_or_not() -> None:
    east, west = connected(replace(EAST, proxy_ids=TWO))
    converse(east, west)
    rows = {row.child: row for row in east.gateway.tunnels()}
    assert list(rows) == ["west:lan", "west:dmz"]
    assert (rows["west:lan"].state, rows["west:lan"].reason) == ("up", None)
    assert rows["west:dmz"].state != "up"
    assert "selectors-unacceptable" in (rows["west:dmz"].reason or "")
    assert rows["west:dmz"].interface == "tunnel.1"


@pytest.mark.parametrize(
    ("party", "reason"),
    [
        (replace(EAST, passive=True), "waiting for the peer to begin"),
        (replace(EAST, knows="dynamic"), "waiting for the peer to begin"),
        (replace(EAST, knows="gw.example"), "the peer's name is not resolved"),
        (replace(EAST, start=Start.ON_DEMAND), "waiting for traffic"),
    ],
)
def test_a_tunnel_that_waits_says_for_what(party: Party, reason: str) -> None:
    row = _tunnel(_lone(party))
    assert (row.state, row.reason) == ("down", reason)


def test_a_peer_that_does_not_answer_is_the_reason() -> None:
    east = _lone(EAST)
    east.wait(400.0)
    row = _tunnel(east)
    assert "no-answer" in (row.reason or "")


def test_a_refusal_is_the_reason_until_it_is_up() -> None:
    east, west = two(EAST, replace(WEST, psk=b"a different key altogether"))
    converse(east, west)
    assert (_tunnel(east).state, "authentication-failed" in (_tunnel(east).reason or "")) == ("down", True)


def test_a_disabled_tunnel_says_so_while_others_are_up() -> None:
    plan = plan_of(EAST, WEST)
    off = replace(plan, tunnels={name: replace(tunnel, enabled=False) for name, tunnel in plan.tunnels.items()})
    row = _tunnel(seat(off))
    assert (row.state, row.reason) == ("disabled", "disabled by configuration or command")


def test_a_picture_does_not_change_with_the_engine() -> None:
    east, west = connected()
    before = _ike(east)
    east.command(commands.TerminateIke("west"))
    converse(east, west)
    assert before.state == "established"
    with pytest.raises(dataclasses.FrozenInstanceError):
        before.state = "deleting"  # type: ignore[misc]
