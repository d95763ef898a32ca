"""Traffic of a host behind one site to a host behind another, and what became of it."""

from __future__ import annotations

from isthmus.dataplane.memory import Arrival, Packet
from isthmus.model.quantities import Instant, Seconds
from isthmus.sim.agenda import Agenda
from isthmus.sim.site import Site

CLOSEST = Seconds(0.02)
"""Between two packets while the gateways speak to each other: a set-up or a rekey takes several of these."""

FARTHEST = Seconds(4.0)
"""Between two packets of a tunnel at rest: less than the shortest liveness interval, so that none is probed."""

SPREAD = 2.0
"""By how much each gap is longer than the one before, as long as the gateways are silent."""


class Flow:
    """Numbered packets, until it is stopped.

    They follow each other most closely where something can go wrong: when the gateways speak to each other. Then
    they spread out, for a tunnel at rest has little to show. A flow that is to keep its pace is given one.
    """

    def __init__(
        self,
        agenda: Agenda,
        source: Site,
        destination: Site,
        interface: str,
        packet: Packet,
        every: Seconds | None = None,
    ) -> None:
        self.sent = 0
        self.received = 0
        self.duplicated = 0
        self.outage = Seconds(0.0)
        """The longest silence between two packets that arrived."""
        self._agenda = agenda
        self._source = source
        self._interface = interface
        self._packet = packet
        self._every = every
        self._gap = every or CLOSEST
        self._next_at: Instant | None = None
        self._label = f"{source.name}>{destination.name}:{packet.destination}:{packet.destination_port}#".encode()
        self._number = 0
        self._missing: set[int] = set()
        self._heard_at: Instant | None = None
        destination.arrivals.append(self._arrive)

    @property
    def missing(self) -> int:
        """Packets that were sent and did not arrive, those still on their way included."""
        return len(self._missing)

    @property
    def silence(self) -> Seconds:
        """How long ago the last packet arrived."""
        return Seconds(self._agenda.now - (self._heard_at or Instant(0.0)))

    def start(self) -> None:
        self._next_at = self._agenda.now
        self._tick()

    def stop(self) -> None:
        self._next_at = None

    def hasten(self) -> None:
        """Something is going on: the next packets come soon, and close together."""
        if self._every is None:
            self._gap = CLOSEST
            if self._next_at is not None and self._next_at > self._agenda.now + CLOSEST:
                self._wait()

    def forget(self) -> None:
        """Begins to count anew: what was lost while a tunnel came up is no loss of a rekey."""
        self._missing.clear()
        self.outage = Seconds(0.0)
        self._heard_at = self._agenda.now
        self.sent = self.received = 0

    def once(self) -> None:
        """One packet now."""
        self.sent += 1
        self._number += 1
        self._missing.add(self._number)
        payload = self._label + str(self._number).encode()
        self._source.emit(self._interface, self._packet.carrying(payload))

    def _tick(self) -> None:
        # A tick that was overtaken by a hastened one, or by the end, finds another time than its own.
        if self._next_at == self._agenda.now:
            self.once()
            self._wait()
            if self._every is None:
                self._gap = Seconds(min(self._gap * SPREAD, FARTHEST))

    def _wait(self) -> None:
        self._next_at = Instant(self._agenda.now + self._gap)
        self._agenda.at(self._next_at, self._tick)

    def _arrive(self, arrival: Arrival) -> None:
        payload = arrival.packet.payload
        if not payload.startswith(self._label):
            return
        number = int(payload[len(self._label) :])
        if number not in self._missing:
            self.duplicated += 1
            return
        self._missing.discard(number)
        self.received += 1
        now = self._agenda.now
        if self._heard_at is not None:
            self.outage = max(self.outage, Seconds(now - self._heard_at))
        self._heard_at = now
