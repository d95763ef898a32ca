"""SA pairs that no peer keys."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from isthmus.engine.ledger import Ledger
from isthmus.engine.manual import ManualKeys
from isthmus.engine.outputs import Program
from isthmus.engine.surroundings import Surroundings
from isthmus.events.child import ChildDeleted, ChildExpired, ChildInstalled
from isthmus.model.algorithms import ENCRYPTION_BY_NAME, INTEGRITY_BY_NAME
from isthmus.model.plan import ManualPlan, Mode, Plan
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.quantities import InboundSpi, OutboundSpi
from isthmus.model.sa_spec import DataPlaneOp, Direction, InstallSa, RemoveSa, SaId
from isthmus.model.secret import Secret
from isthmus.model.selectors import ANY_IPV4
from tests.engine.table import Dice

ESP = ManualPlan(
    name="legacy",
    interface="tunnel.9",
    outer="eth0",
    local=ip_address("192.0.2.1"),
    remote=ip_address("203.0.113.7"),
    spi_in=InboundSpi(0x1001),
    spi_out=OutboundSpi(0x1002),
    suite=Suite(Protocol.ESP, ENCRYPTION_BY_NAME["aes-128-cbc"], INTEGRITY_BY_NAME["sha1"], None, None),
    encryption_key=Secret(bytes(16)),
    integrity_key=Secret(bytes(20)),
    selectors=((ANY_IPV4,), (ANY_IPV4,)),
)
AH = replace(ESP, suite=Suite(Protocol.AH, None, INTEGRITY_BY_NAME["sha1"], None, None), encryption_key=Secret(b""))


class Stage:
    def __init__(self, *plans: ManualPlan) -> None:
        self.ledger = Ledger(Plan(), Surroundings(Dice()))
        self.manual = ManualKeys(self.ledger)
        self.apply(*plans)

    def apply(self, *plans: ManualPlan) -> None:
        self.ledger.plan = Plan(manual={plan.name: plan for plan in plans})
        self.manual.settle()

    def said(self) -> list[object]:
        found: list[object] = []
        while (output := self.ledger.next_output()) is not None:
            found.append(output)
        return found

    def ops(self) -> list[DataPlaneOp]:
        return [output.op for output in self.said() if isinstance(output, Program)]

    @property
    def states(self) -> list[tuple[str, str | None]]:
        return [(tunnel.state, tunnel.reason) for tunnel in self.manual.tunnels()]


def test_both_directions_have_the_keys_and_their_own_spi() -> None:
    (inbound, outbound) = (op.spec for op in Stage(ESP).ops() if isinstance(op, InstallSa))
    assert (inbound.direction, inbound.spi, outbound.direction, outbound.spi) == (
        Direction.INBOUND,
        0x1001,
        Direction.OUTBOUND,
        0x1002,
    )
    assert inbound.encryption_key == outbound.encryption_key
    assert (inbound.udp, inbound.replay_window, inbound.limits.hard_packets, inbound.mode) == (
        False,
        0,
        None,
        Mode.TUNNEL,
    )


def test_what_did_not_change_is_not_touched() -> None:
    stage = Stage(ESP)
    stage.said()
    stage.apply(ESP)
    assert stage.said() == []


def test_a_change_removes_first_and_then_installs() -> None:
    stage = Stage(ESP)
    stage.said()
    stage.apply(AH)
    said = stage.said()
    kinds = [type(output.op if isinstance(output, Program) else output) for output in said]
    assert kinds == [RemoveSa, RemoveSa, ChildDeleted, InstallSa, InstallSa, ChildInstalled]
    assert [view.protocol for view in stage.manual.sas()] == [Protocol.AH]


def test_one_that_is_disabled_is_shown_and_not_there() -> None:
    stage = Stage(replace(ESP, enabled=False))
    assert (stage.ops(), stage.manual.sas()) == ([], ())
    assert [state for state, _ in stage.states] == ["disabled"]


def test_a_refusal_of_the_data_plane_is_why_it_is_down() -> None:
    stage = Stage(ESP)
    (ticket, *_) = (output.ticket for output in stage.said() if isinstance(output, Program))
    assert stage.states == [("up", None)]
    stage.manual.refused(ticket, "table full")
    assert stage.states == [("down", "the data plane refused it: table full")]
    assert stage.manual.sas() == ()


def test_spent_sequence_numbers_are_told_once() -> None:
    stage = Stage(ESP)
    stage.said()
    outbound = SaId(Direction.OUTBOUND, 0x1002, "203.0.113.7")
    for _ in range(2):
        stage.manual.expired(outbound)
    (told,) = stage.said()
    assert isinstance(told, ChildExpired)
    assert stage.states[0][0] == "down"


def test_an_sa_of_somebody_else_is_none_of_ours() -> None:
    stage = Stage(ESP)
    stage.said()
    stage.manual.expired(SaId(Direction.OUTBOUND, 0x1002, "203.0.113.7", Protocol.AH))
    assert stage.said() == []


def test_no_child_is_given_an_spi_that_is_taken_by_hand() -> None:
    class Fixed(Dice):
        def octets(self, count: int) -> bytes:
            self.asked = getattr(self, "asked", 0) + 1
            return (0x1001 if self.asked < 3 else 0x2002).to_bytes(count, "big")

    assert Ledger(Plan(manual={"legacy": ESP}), Surroundings(Fixed())).fresh_child_spi() == 0x2002


def test_the_end_takes_everything_away() -> None:
    stage = Stage(ESP)
    stage.said()
    stage.manual.clear()
    assert [type(op) for op in stage.ops()] == [RemoveSa, RemoveSa]
    assert stage.manual.sas() == ()
