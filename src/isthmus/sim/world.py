"""The simulated world: sites on a network, virtual time, and invariants that are checked after every step."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from isthmus.dataplane.memory import Packet
from isthmus.engine.gateway import Gateway
from isthmus.engine.surroundings import Surroundings
from isthmus.model.address import Address
from isthmus.model.plan import Plan, Version
from isthmus.model.quantities import Instant, Seconds
from isthmus.sim import invariants
from isthmus.sim.agenda import Agenda
from isthmus.sim.failure import GoalMissed, SimulationFailure, Violation
from isthmus.sim.flow import Flow
from isthmus.sim.nat import MAPPING_TIMEOUT, Nat
from isthmus.sim.network import Frame, Link, Network, Uplink
from isthmus.sim.rota import Rota
from isthmus.sim.site import Brain, Site
from isthmus.sim.transcript import REMEMBERED, Transcript
from isthmus.sim.watch import Watch
from isthmus.wire.udp import KEEPALIVE

PATIENCE = 100
"""Calls of one site's timer at one instant before it counts as stuck."""

STEPS = 1_000_000
"""For each site; more than any story needs: what goes beyond is a storm."""

MINUTE = Seconds(60.0)

REST = Seconds(300.0)
"""Longer than ten repetitions of a delete that nobody answers."""


class World:
    """Same seed, same story, to the last octet. Every random choice of the network and of a site has its own stream."""

    def __init__(
        self,
        seed: int,
        link: Link | None = None,
        *,
        version: Version = Version.IKEV2,
        replay: str = "",
        remembered: int | None = REMEMBERED,
        make: Callable[[Plan, Surroundings], Brain] = Gateway,
    ) -> None:
        self.seed = seed
        self.version = version
        """Of IKE, that its parties speak unless they say otherwise."""
        self.agenda = Agenda()
        self.transcript = Transcript(remembered)
        self.network = Network(self.agenda, self.stream("network"), self.transcript, link or Link())
        self.sites: dict[str, Site] = {}
        self.flows: list[Flow] = []
        self.watch = Watch(self.sites, invariants.all_invariants())
        self.steps = 0
        self.look_every = 1
        """So many steps are taken from one look at the sites to the next, and whenever a run ends there is one.

        It takes time for each tunnel of a site: where there are a thousand, one look in a thousand steps is fair.
        """
        self._rota = Rota()
        self._replay = replay
        self._make = make
        self._rung_at: Instant | None = None
        self._timer_calls: Counter[str] = Counter()
        """At that instant, by site."""
        self.network.taps.append(self._see)

    @property
    def now(self) -> Instant:
        return self.agenda.now

    def stream(self, name: str) -> random.Random:
        """A stream of random numbers of its own: a change in one place does not shift all others."""
        return random.Random(f"{self.seed}:{name}")  # noqa: S311 - a simulation wants to be predictable

    def site(self, name: str, plan: Plan, address: Address, *, behind: Nat | None = None) -> Site:
        """A site that boots when the story begins to run."""
        uplink: Uplink = behind or self.network
        rng = self.stream(name)
        site = Site(name, plan, address, uplink, self.agenda, self.transcript, rng, self._make)
        self.sites[name] = site
        self._rota.enter(site)
        self.agenda.after(Seconds(0.0), lambda: None if site.up else site.boot())
        return site

    def nat(self, public: Address, timeout: Seconds = MAPPING_TIMEOUT) -> Nat:
        """A NAPT box; sites are put `behind` it."""
        return Nat(self.network, self.agenda, self.stream(f"nat {public}"), public, timeout)

    def flow(self, source: Site, destination: Site, packet: Packet, every: Seconds | None = None) -> Flow:
        """Traffic that begins when it is started, at its own pace or at a given one."""
        # The route of the host network: into the tunnel whose proxy ID leads there.
        agreed = [(t.interface, c.local, c.remote) for t in source.plan.tunnels.values() for c in t.children]
        by_hand = [(manual.interface, *manual.selectors) for manual in source.plan.manual.values()]
        interface = next(
            interface
            for interface, local, remote in agreed + by_hand
            if any(s.admits(packet.destination, packet.protocol, packet.destination_port) for s in remote)
            and any(s.admits(packet.source, packet.protocol, packet.source_port) for s in local)
        )
        flow = Flow(self.agenda, source, destination, interface, packet, every)
        self.flows.append(flow)
        return flow

    def run(self, until: Callable[[], bool] | None = None, limit: Seconds = MINUTE) -> None:
        """Lets time pass until the goal holds; a goal that is not reached within the limit is a failure.

        Without a goal the whole time passes.
        """
        end = Instant(self.now + limit)
        while until is None or not until():
            due, timer_of = self._next()
            if due is None or due > end:
                self.agenda.advance(end)
                # The goal may depend on the time alone; look once more before giving up.
                if until is not None and not until():
                    raise self.failure(GoalMissed(f"not reached within {limit:g} s"))
                break
            self._step(due, timer_of)
        if self.look_every > 1:
            self._look()

    def check(self, promise: str, holds: object) -> None:
        """What the story promises at this point."""
        if not holds:
            raise self.failure(GoalMissed(f"{promise}: not so"))

    def reach(self, lacking: Callable[[], str | None], limit: Seconds = MINUTE) -> None:
        """Lets time pass until nothing is lacking; at the limit, what still is becomes the failure."""
        lacks = ""

        def reached() -> bool:
            nonlocal lacks
            lacks = lacking() or ""
            return not lacks

        try:
            self.run(until=reached, limit=limit)
        except SimulationFailure as failure:
            raise (self.failure(GoalMissed(f"{failure.why}: {lacks}")) if lacks else failure) from failure

    def settle(self, limit: Seconds = REST) -> None:
        """Waits until nothing is being negotiated and each selector set has at most one live child, at every site."""
        self.reach(self._unsettled, limit)

    def failure(self, cause: Exception) -> SimulationFailure:
        """The cause with everything that is needed to see it again."""
        return SimulationFailure(
            str(cause), at=self.now, seed=self.seed, replay=self._replay, transcript=self.transcript.lines
        )

    def _unsettled(self) -> str | None:
        if self.network.ike_in_flight or not invariants.quiet(self.sites.values()):
            return "something is being negotiated"
        return next((twin for site in self.sites.values() for twin in invariants.duplicates(site)), None)

    def _next(self) -> tuple[Instant | None, Site | None]:
        """What is due first, and at which site if it is a timer there. What is on its way comes before a timer."""
        due, timer = self.agenda.due, self._rota.next()
        return timer if timer is not None and (due is None or timer[0] < due) else (due, None)

    def _step(self, due: Instant, timer_of: Site | None) -> None:
        self.steps += 1
        try:
            if self.steps > STEPS * max(2, len(self.sites)):
                raise Violation("a story ends", f"{self.steps} steps and no end: a storm")
            if timer_of is None:
                self.agenda.take()()
            else:
                self._ring(due, timer_of)
        except Violation as violation:
            raise self.failure(violation) from violation
        if self.steps % self.look_every == 0:
            self._look()

    def _look(self) -> None:
        """Shows the invariants each site that something happened to."""
        try:
            for site in self._rota.touched():
                self.watch.look_at(site)
        except Violation as violation:
            raise self.failure(violation) from violation

    def _ring(self, due: Instant, site: Site) -> None:
        if due != self._rung_at:
            self._rung_at = due
            self._timer_calls.clear()
        self.agenda.advance(due)
        self._timer_calls[site.name] += 1
        if self._timer_calls[site.name] > PATIENCE:
            raise Violation(
                "a timer that was handled lies in the future", f"{site.name} is due at {due} again and again"
            )
        site.tick()

    def _see(self, frame: Frame) -> None:
        if isinstance(frame.body, bytes) and frame.body != KEEPALIVE:
            for flow in self.flows:
                flow.hasten()
        self.watch.see(frame)
