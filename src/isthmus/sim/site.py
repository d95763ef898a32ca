"""One site: a gateway, its data plane, and the driver that joins them to the simulated network."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable
from typing import Protocol, TypeVar, assert_never

from isthmus.dataplane import backend
from isthmus.dataplane.backend import DataPlaneRefusal
from isthmus.dataplane.memory import Arrival, EspPacket, MemoryPlane, Packet
from isthmus.engine import commands
from isthmus.engine.commands import Command
from isthmus.engine.outputs import Output, Program, Resolve, SendDatagram, SendKeepAlive
from isthmus.engine.surroundings import Surroundings
from isthmus.engine.views import ChildView, IkeSaView, TunnelView
from isthmus.events.event import Event
from isthmus.events.message import MessageExchanged
from isthmus.model.address import NAT_T_PORT, Address, Datagram, Endpoint
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.model.plan import Plan
from isthmus.model.quantities import Instant, Seconds, Ticket
from isthmus.model.sa_spec import DataPlaneOp
from isthmus.sim import kem
from isthmus.sim.agenda import Agenda
from isthmus.sim.failure import Violation
from isthmus.sim.network import Frame, Uplink
from isthmus.sim.transcript import Transcript
from isthmus.wire import udp

HEARD_INTERVAL = Seconds(1.0)
"""How often the data plane is asked which peers sent something."""

LOOKUP_TIME = Seconds(0.01)
NAME_LIFETIME = Seconds(60.0)

LOOK_AGAIN = Seconds(5.0)
"""How long the invariants do without a look at a site where nothing is said to have changed."""

E = TypeVar("E", bound=Event)


class Brain(Protocol):
    """What a site needs of `engine.gateway.Gateway`."""

    @property
    def idle(self) -> bool: ...

    @property
    def plan(self) -> Plan: ...

    def receive(self, datagram: Datagram, now: Instant) -> None: ...

    def command(self, command: Command, now: Instant) -> None: ...

    def handle_timer(self, now: Instant) -> None: ...

    def next_timer(self) -> Instant | None: ...

    def poll(self) -> Output | None: ...

    def ike_sas(self) -> tuple[IkeSaView, ...]: ...

    def child_sas(self) -> tuple[ChildView, ...]: ...

    def tunnels(self) -> tuple[TunnelView, ...]: ...


class SeededEntropy:
    """Octets that are the same for the same seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def octets(self, count: int) -> bytes:
        return self._rng.randbytes(count)

    def encapsulate(self, method: KeyExchangeMethod, key: bytes) -> tuple[bytes, bytes]:
        """As the library does, which cannot be told what to draw."""
        return kem.encapsulate(method, key, self.octets(32))


class Ledger:
    """Which operations were asked of the data plane, and whether each had its outcome."""

    def __init__(self) -> None:
        self.latest: Ticket | None = None
        self.open: dict[Ticket, DataPlaneOp] = {}

    def ask(self, program: Program) -> None:
        if self.latest is not None and program.ticket <= self.latest:
            raise Violation("every effect is applied or answered", f"ticket {program.ticket} after {self.latest}")
        self.latest = program.ticket
        self.open[program.ticket] = program.op

    def settle(self, ticket: Ticket) -> None:
        del self.open[ticket]


class Site:
    """A gateway in its place. `boot` and `kill` are the power switch: a killed one says nothing to anybody."""

    def __init__(
        self,
        name: str,
        plan: Plan,
        address: Address,
        uplink: Uplink,
        agenda: Agenda,
        transcript: Transcript,
        rng: random.Random,
        make: Callable[[Plan, Surroundings], Brain],
    ) -> None:
        self.name = name
        self.plan = plan
        self.address = address
        self.names: dict[str, tuple[Address, ...]] = {}
        """What the resolver knows."""
        self.refuse: Callable[[DataPlaneOp], str | None] = lambda _: None
        """Names a reason for an operation that the data plane is to refuse."""
        self.arrivals: list[Callable[[Arrival], None]] = []
        """Told of each inner packet that came out of a tunnel."""
        self.events: list[Event] = []
        self.ledger = Ledger()
        self.gateway: Brain | None = None
        self.plane = self._fresh_plane(agenda)
        self.touched = False
        """Something happened to it since the invariants were last looked at."""
        self.due: Instant | None = None
        """When the gateway's next timer is due."""
        self.changed: Callable[[], None] = lambda: None
        """Told when one of these two may be another."""
        self._uplink = uplink
        self._agenda = agenda
        self._transcript = transcript
        self._entropy = SeededEntropy(rng)
        self._make = make
        self._listening = False
        self._looked_at = Instant(0.0)
        self._ike_sas: tuple[IkeSaView, ...] | None = None
        self._tunnels: tuple[TunnelView, ...] | None = None
        uplink.attach(address, self.receive)

    @property
    def up(self) -> bool:
        """Whether the gateway runs."""
        return self.gateway is not None

    @property
    def now(self) -> Instant:
        return self._agenda.now

    @property
    def ike_sas(self) -> tuple[IkeSaView, ...]:
        """As the gateway sees them after the last call into it."""
        if self._ike_sas is None:
            self._ike_sas = self.gateway.ike_sas() if self.gateway else ()
        return self._ike_sas

    @property
    def child_sas(self) -> tuple[ChildView, ...]:
        """Those of its IKE SAs, and those with keys by hand."""
        if self.gateway is not None and self.gateway.plan.manual:
            return self.gateway.child_sas()
        return tuple(child for ike in self.ike_sas for child in ike.children)

    @property
    def tunnels(self) -> tuple[TunnelView, ...]:
        """Each configured child, as the gateway sees it after the last call into it."""
        if self._tunnels is None:
            self._tunnels = self.gateway.tunnels() if self.gateway else ()
        return self._tunnels

    def boot(self) -> None:
        """Starts a gateway that remembers nothing."""
        self._transcript.note(self._agenda.now, self.name, "boots")
        self.plane, self.ledger = self._fresh_plane(self._agenda), Ledger()
        self.gateway = self._make(self.plan, Surroundings(self._entropy, self._entropy.encapsulate))
        self.tick()

    def kill(self) -> None:
        """SIGKILL and power cut at once: state, SAs and keys are gone, and no delete was sent."""
        self._transcript.note(self._agenda.now, self.name, "is killed")
        self.gateway = self.due = self._ike_sas = self._tunnels = None
        self.plane, self.ledger = self._fresh_plane(self._agenda), Ledger()
        self.changed()

    def plug(self, uplink: Uplink, address: Address) -> None:
        """Its cable goes elsewhere, and its interface has this address only."""
        self._uplink.attach(self.address, lambda _: None)
        self._uplink, self.address = uplink, address
        uplink.attach(address, self.receive)

    def command(self, command: Command) -> None:
        if self.gateway is not None:
            gateway = self.gateway
            self._transcript.note(self._agenda.now, self.name, f"is told {type(command).__name__}")
            self._call(gateway.command, command)

    def tick(self) -> None:
        """Handles the timers that are due."""
        if self.gateway is not None:
            self._call(self.gateway.handle_timer)

    def receive(self, frame: Frame) -> None:
        """A frame arrives from the network."""
        if self.gateway is None:
            return
        match frame.body:
            case EspPacket():
                self._receive_esp(frame.body, frame.source)
            case bytes():
                octets = _ike_octets(frame)
                if octets is not None:
                    self._call(self.gateway.receive, Datagram(frame.destination, frame.source, octets))
            case Packet():
                # A packet in the clear that claims to come from behind a tunnel: the firewall's business, not ours.
                return
            case _:
                assert_never(frame.body)

    def emit(self, interface: str, packet: Packet) -> None:
        """A host behind the site sends a packet that is routed into a tunnel interface."""
        emission = self.plane.send(interface, packet)
        self._pass_notices()
        if emission is None:
            return
        self._uplink.send(Frame(emission.local, emission.remote, emission.esp, emission.udp))

    def told(self, kind: type[E], since: Instant | None = None) -> tuple[E, ...]:
        """The events of one kind, oldest first."""
        return tuple(e for e in self.events if isinstance(e, kind) and (since is None or e.at >= since))

    def _fresh_plane(self, agenda: Agenda) -> MemoryPlane:
        return MemoryPlane(clock=lambda: agenda.now, refuse=lambda op: self.refuse(op))

    def _receive_esp(self, esp: EspPacket, source: Endpoint) -> None:
        arrival = self.plane.receive(esp, source)
        self._pass_notices()
        if not self._listening:
            self._listening = True
            self._agenda.after(HEARD_INTERVAL, self._pass_heard)
        if arrival is not None:
            for tell in self.arrivals:
                tell(arrival)

    def _pass_heard(self) -> None:
        self._listening = False
        spis = tuple(self.plane.heard())
        if spis and self.gateway is not None:
            self._call(self.gateway.command, commands.Heard(spis))

    def _pass_notices(self) -> None:
        for notice in self.plane.notices():
            self.command(_as_command(notice))

    def _call(self, entrance: Callable[..., None], *said: object) -> None:
        """One call into the core, and everything that comes of it."""
        self._ike_sas = self._tunnels = None
        now = self._agenda.now
        try:
            entrance(*said, now)
        except Exception as bug:
            raise Violation(f"{entrance.__name__}() never raises", "".join(traceback.format_exception(bug))) from bug
        gateway, refusals = self.gateway, list[commands.ProgramFailed]()
        output = gateway.poll() if gateway is not None else None
        # A change of state is an event or an effect; a core that says nothing is looked at rarely, should it lie.
        if output is not None or now - self._looked_at >= LOOK_AGAIN:
            self.touched = True
            self._looked_at = now
        while output is not None and gateway is not None:
            refusals += self._carry_out(output)
            output = gateway.poll()
        self.due = gateway.next_timer() if gateway is not None else None
        self.changed()
        self._pass_notices()
        for refusal in refusals:
            self.command(refusal)

    def _carry_out(self, output: Output) -> list[commands.ProgramFailed]:
        match output:
            case SendDatagram(local, remote, octets):
                self._uplink.send(Frame(local, remote, udp.frame(octets) if local.port == NAT_T_PORT else octets))
            case SendKeepAlive(local, remote):
                self._uplink.send(Frame(local, remote, udp.KEEPALIVE))
            case Program():
                return self._program(output)
            case Resolve(peer, name):
                self._resolve(peer, name)
            case Event():
                self._record(output)
            case _:
                assert_never(output)
        return []

    def _program(self, program: Program) -> list[commands.ProgramFailed]:
        self.ledger.ask(program)
        self._transcript.note(self._agenda.now, self.name, lambda: f"    {_op_in_short(program.op)}")
        try:
            self.plane.apply(program.op)
        except DataPlaneRefusal as refusal:
            self._transcript.note(self._agenda.now, self.name, f"    refused: {refusal.why}")
            self.ledger.settle(program.ticket)
            return [commands.ProgramFailed(program.ticket, refusal.why)]
        self.ledger.settle(program.ticket)
        return []

    def _resolve(self, peer: str, name: str) -> None:
        addresses = self.names.get(name, ())
        answer = commands.Resolved(peer, name, addresses, NAME_LIFETIME)
        self._agenda.after(LOOKUP_TIME, lambda: self.command(answer))

    def _record(self, event: Event) -> None:
        self.events.append(event)
        self._transcript.note(self._agenda.now, self.name, lambda: _in_one_line(event))


def _ike_octets(frame: Frame) -> bytes | None:
    """The IKE message in a UDP payload, as a transport reads it; None: ESP, a keep-alive, or nonsense."""
    octets = frame.body
    if not isinstance(octets, bytes) or not frame.udp:
        return None
    if frame.destination.port != NAT_T_PORT:
        return octets
    return octets[len(udp.NON_ESP_MARKER) :] if octets.startswith(udp.NON_ESP_MARKER) else None


def _as_command(notice: backend.Notice) -> Command:
    match notice:
        case backend.Acquire(child, source, destination, protocol, source_port, destination_port):
            return commands.Acquire(child, source, destination, protocol, source_port, destination_port)
        case backend.SoftExpired(sa):
            return commands.SoftExpired(sa)
        case backend.HardExpired(sa):
            return commands.HardExpired(sa)
        case backend.FirstInbound(sa):
            return commands.FirstInbound(sa)
        case backend.PeerMoved(sa, remote):
            return commands.PeerMoved(sa, remote)
        case _:
            assert_never(notice)


def _in_one_line(event: Event) -> str:
    if isinstance(event, MessageExchanged):
        return f"{event.direction} {event.notation}"
    return f"  * {event.code}: {event.tell()}"


def _op_in_short(op: DataPlaneOp) -> str:
    spec = getattr(op, "spec", None)
    name = (
        getattr(spec, "id", None) or getattr(op, "id", None) or getattr(spec, "child", None) or getattr(op, "child", "")
    )
    return f"{type(op).__name__} {name}"
