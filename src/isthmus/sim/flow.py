"""Traffic of a host behind one site to a host behind another, and what became of it."""

from __future__ import annotations

from dataclasses import replace

from isthmus.dataplane.memory import Arrival, Packet
from isthmus.model.quantities import Instant, Seconds
from isthmus.sim.agenda import Agenda
from isthmus.sim.site import Site


class Flow:
    """A packet every so often, numbered, until it is stopped."""

    def __init__(
        self, agenda: Agenda, source: Site, destination: Site, interface: str, packet: Packet, every: Seconds
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
        self._label = f"{source.name}>{destination.name}:{packet.destination}:{packet.destination_port}#".encode()
        self._running = False
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
        self._running = True
        self._tick()

    def stop(self) -> None:
        self._running = False

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
        self._source.emit(self._interface, replace(self._packet, payload=payload))

    def _tick(self) -> None:
        if self._running:
            self.once()
            self._agenda.after(self._every, self._tick)

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
