from isthmus.engine.commands import FirstInbound, Reauthenticate
from isthmus.engine.outputs import Program
from isthmus.engine.views import ChildView
from isthmus.model.sa_spec import Direction, InstallSa
from tests.engine.table import Seat, connected, converse


def reauthenticated() -> tuple[Seat, Seat]:
    """East has begun anew beside what stood, and both have the second Child SA."""
    east, west = connected()
    (peer,) = east.gateway.plan.peers
    east.said.clear()
    west.said.clear()
    east.command(Reauthenticate(peer))
    converse(east, west, lambda: len(children(east)) == 2)
    return east, west


def children(seat: Seat) -> list[ChildView]:
    return [child for ike in seat.gateway.ike_sas() for child in ike.children]


def directions(seat: Seat) -> list[Direction]:
    ops = [program.op for program in seat.told(Program)]
    return [op.spec.direction for op in ops if isinstance(op, InstallSa)]


def test_whoever_asked_sends_by_the_new_sa_at_once() -> None:
    east, _ = reauthenticated()
    assert directions(east) == [Direction.INBOUND, Direction.OUTBOUND]


def test_whoever_answered_sends_by_the_new_sa_once_the_peer_uses_it() -> None:
    _, west = reauthenticated()
    assert directions(west) == [Direction.INBOUND]
    west.command(FirstInbound(children(west)[-1].inbound))
    assert directions(west) == [Direction.INBOUND, Direction.OUTBOUND]
    west.wait(1)
    assert directions(west) == [Direction.INBOUND, Direction.OUTBOUND]


def test_whoever_answered_does_not_wait_for_long() -> None:
    _, west = reauthenticated()
    west.wait(0.2)
    assert directions(west) == [Direction.INBOUND]
    west.wait(0.1)
    assert directions(west) == [Direction.INBOUND, Direction.OUTBOUND]


def test_the_new_sa_carries_as_soon_as_the_old_one_is_deleted() -> None:
    east, west = reauthenticated()
    old = west.gateway.ike_sas()[0]
    east.wait(20)
    assert west.now == 0.0
    converse(east, west)
    assert old.initiator_spi not in [ike.initiator_spi for ike in west.gateway.ike_sas() if ike.state == "established"]
    assert directions(west) == [Direction.INBOUND, Direction.OUTBOUND]
