"""A NAPT box (RFC 3022) with the filtering that most have: only who was spoken to may answer (RFC 4787, 5)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from isthmus.model.address import Address, Endpoint
from isthmus.model.quantities import Instant, Seconds
from isthmus.sim.agenda import Agenda
from isthmus.sim.network import Frame, Network, Receiver

MAPPING_TIMEOUT = Seconds(30.0)
"""Shorter than the two minutes of RFC 4787, 4.3: what cheap boxes do, and what keep-alives are for."""


@dataclass(slots=True)
class _Mapping:
    inside: Endpoint
    outside: Endpoint
    last_used: Instant
    spoken_to: set[Endpoint] = field(default_factory=set)
    forwarded: bool = False
    """Set up by an operator: it never ends, and anybody may speak through it."""


class Nat:
    """Sites are attached to it as to a network; to the world they all have its address."""

    def __init__(
        self,
        network: Network,
        agenda: Agenda,
        rng: random.Random,
        public: Address,
        timeout: Seconds = MAPPING_TIMEOUT,
    ) -> None:
        self._network = network
        self._agenda = agenda
        self._rng = rng
        self.public = public
        self._timeout = timeout
        self._inside: dict[Address, Receiver] = {}
        self._mappings: dict[Endpoint, _Mapping] = {}
        """By inside endpoint."""
        self.dropped = 0
        network.attach(public, self._from_outside)

    def attach(self, address: Address, receiver: Receiver) -> None:
        self._inside[address] = receiver

    def send(self, frame: Frame) -> None:
        """A frame from the inside. What is not UDP has no ports, and cannot be translated."""
        if not frame.udp:
            self.dropped += 1
            return
        mapping = self._mapping(frame.source)
        mapping.last_used = self._agenda.now
        mapping.spoken_to.add(frame.destination)
        self._network.send(replace(frame, source=mapping.outside))

    def forward(self, inside: Endpoint) -> None:
        """Whoever speaks to this port of the box reaches the inside endpoint."""
        outside = Endpoint(self.public, inside.port)
        self._mappings[inside] = _Mapping(inside, outside, self._agenda.now, forwarded=True)

    def flush(self) -> None:
        """Forgets every mapping that nobody configured, as a box that restarts."""
        self._mappings = {inside: mapping for inside, mapping in self._mappings.items() if mapping.forwarded}

    @property
    def mappings(self) -> dict[Endpoint, Endpoint]:
        """Inside endpoint to outside endpoint, of those that are alive."""
        return {m.inside: m.outside for m in self._mappings.values() if self._alive(m)}

    def _mapping(self, inside: Endpoint) -> _Mapping:
        mapping = self._mappings.get(inside)
        if mapping is None or not self._alive(mapping):
            mapping = _Mapping(inside, self._free_endpoint(), self._agenda.now)
            self._mappings[inside] = mapping
        return mapping

    def _free_endpoint(self) -> Endpoint:
        taken = {mapping.outside for mapping in self._mappings.values()}
        while True:
            outside = Endpoint(self.public, self._rng.randrange(20000, 60000))
            if outside not in taken:
                return outside

    def _alive(self, mapping: _Mapping) -> bool:
        return mapping.forwarded or self._agenda.now - mapping.last_used < self._timeout

    def _admits(self, mapping: _Mapping, source: Endpoint) -> bool:
        return mapping.forwarded or (self._alive(mapping) and source in mapping.spoken_to)

    def _from_outside(self, frame: Frame) -> None:
        mapping = next((m for m in self._mappings.values() if m.outside == frame.destination), None)
        if not frame.udp or mapping is None or not self._admits(mapping, frame.source):
            self.dropped += 1
            return
        self._inside[mapping.inside.address](replace(frame, destination=mapping.inside))
