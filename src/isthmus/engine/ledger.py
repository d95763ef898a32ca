"""What all SAs of a gateway share: the clock, the agenda, the tables and the one stream of outputs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from isthmus.engine.deadlines import Agenda
from isthmus.engine.directory import Directory
from isthmus.engine.outputs import Output, Program
from isthmus.engine.restraint import Repeated, Restraint
from isthmus.engine.surroundings import Surroundings
from isthmus.engine.tables import ChildTable, IkeTable
from isthmus.model.address import Address
from isthmus.model.plan import PeerPlan, Plan
from isthmus.model.quantities import NO_SPI, IkeSpi, InboundSpi, Instant, Ticket
from isthmus.model.sa_spec import DataPlaneOp

if TYPE_CHECKING:
    from isthmus.engine.child_sa import ChildSa
    from isthmus.engine.ike_sa import IkeSa

_FIRST_SPI = 256
"""RFC 4303, 2.1: SPIs 1 to 255 are reserved."""


class Turn(Enum):
    """What upkeep wants to know: something turned well or ill."""

    IKE_UP = auto()
    IKE_FAILED = auto()
    IKE_UNANSWERED = auto()
    """Set-up came to nothing, as nobody answered."""
    IKE_GONE = auto()
    VERSION_UNHEARD = auto()
    """Nobody answered the first message, and the other version of IKE may have its turn."""
    CHILD_UP = auto()
    CHILD_FAILED = auto()
    CHILD_GONE = auto()
    REAUTHENTICATION_DUE = auto()
    REDIRECTED = auto()
    """The peer names another gateway in its place."""
    SUSPICION = auto()
    """The peer may have forgotten the IKE SA: somebody says so without proof."""


@dataclass(frozen=True, slots=True)
class Tiding:
    peer: str
    turn: Turn
    child: str | None = None
    reason: str = ""
    gateway: Address | str = ""
    """Where we are sent."""


class Ledger:
    """Tables keyed by what arrives on the wire, and where effects and events are put. It decides nothing."""

    def __init__(self, plan: Plan, surroundings: Surroundings) -> None:
        self.plan = plan
        self.surroundings = surroundings
        self.entropy = surroundings.entropy
        self.now = Instant(0.0)
        self.agenda = Agenda()
        self.ike_sas: Final = IkeTable()
        self.first_requests: dict[tuple[Address, IkeSpi], IkeSa] = {}
        """By the address and SPI of whoever sent IKE_SA_INIT."""
        self.children: Final = ChildTable()
        self.ppks: dict[str, bytes] = {}
        """Which of several post-quantum pre-shared keys is used with a peer (RFC 8784), by its ID."""
        self.addresses: dict[str, tuple[Address, ...]] = {}
        """What peers' names stand for now, by peer."""
        self.key_exchanges_answered = 0
        """How often somebody unproved has made us agree on a key: what cookies keep small."""
        self.tidings: deque[Tiding] = deque()
        """For upkeep, which reads them after every input."""
        self._outputs: deque[Output] = deque()
        self._tickets: dict[Ticket, ChildSa] = {}
        self._next_ticket = 1
        self._restraint = Restraint(self)
        self._directory: tuple[Plan, Directory] | None = None

    def emit(self, output: Output) -> None:
        self._outputs.append(output)

    def emit_rarely(self, event: Repeated) -> None:
        """For what strangers can make happen as often as they like."""
        self._restraint.tell(event)

    def tell(self, peer: PeerPlan | None, turn: Turn, child: str | None = None, reason: str = "") -> None:
        if peer is not None:
            self.tidings.append(Tiding(peer.name, turn, child, reason))

    def tell_of_redirect(self, peer: PeerPlan, gateway: Address | str) -> None:
        self.tidings.append(Tiding(peer.name, Turn.REDIRECTED, gateway=gateway))

    def next_output(self) -> Output | None:
        return self._outputs.popleft() if self._outputs else None

    def program(self, op: DataPlaneOp, child: ChildSa | None = None) -> Ticket:
        """Asks the data plane for something; `child` is who hears of a refusal, which comes with the ticket."""
        ticket = Ticket(self._next_ticket)
        self._next_ticket += 1
        if child is not None:
            self._tickets[ticket] = child
            while len(self._tickets) > 64:  # a refusal comes back at once or never
                self._tickets.pop(next(iter(self._tickets)))
        self.emit(Program(ticket, op))
        return ticket

    def owner_of(self, ticket: Ticket) -> ChildSa | None:
        """Who asked for what was refused."""
        return self._tickets.pop(ticket, None)

    def fresh_ike_spi(self) -> IkeSpi:
        while (spi := IkeSpi(self.entropy.octets(8))) in self.ike_sas or spi == NO_SPI:
            pass
        return spi

    def fresh_child_spi(self) -> InboundSpi:
        while True:
            spi = InboundSpi(int.from_bytes(self.entropy.octets(4), "big"))
            taken = spi in self.children or any(manual.spi_in == spi for manual in self.plan.manual.values())
            if spi >= _FIRST_SPI and not taken:
                return spi

    def with_peer(self, peer: str) -> tuple[IkeSa, ...]:
        """The IKE SAs with a configured peer, oldest first."""
        return self.ike_sas.with_peer(peer)

    def peers_at(self, local: Address, remote: Address) -> tuple[PeerPlan, ...]:
        """The configured peers that may speak from `remote` to `local`."""
        return self.directory.candidates(local, remote)

    @property
    def directory(self) -> Directory:
        """Of the peers, as the plan and the resolved names are now."""
        if self._directory is None or self._directory[0] is not self.plan:
            self._directory = self.plan, Directory(self.plan, self.addresses)
        return self._directory[1]

    def learn_addresses(self, peer: str, addresses: tuple[Address, ...]) -> None:
        """What a peer's name stands for now."""
        self.addresses[peer] = addresses
        self._directory = None
