"""A gateway with many peers in the simulated network, each a site of its own, from the first call to the last delete.

One world, one seed, virtual time; every invariant of the simulation is looked at throughout. What must hold at the end
of each phase is checked there, and what does not raises `SimulationFailure`.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.metered import Meter, Metered, octets_of
from bench.rows import KEY, RESPONDER, address_of, host_of, name_of
from bench.scale import HUB, caller_configuration, hub_configuration
from isthmus.config import compile as compiling
from isthmus.config.load import load
from isthmus.dataplane.memory import Arrival, Packet
from isthmus.engine.commands import Shutdown
from isthmus.engine.surroundings import Surroundings
from isthmus.engine.views import IkeSaView
from isthmus.events.child import ChildInstalled
from isthmus.events.ike import IkeDeleted, IkeStarted
from isthmus.model.plan import Lifetime, Plan
from isthmus.model.quantities import Instant, Seconds
from isthmus.sim.network import Frame, Link
from isthmus.sim.site import Site
from isthmus.sim.world import World

LINK = Link(latency=(0.01, 0.04))
"""One way; every frame draws its own."""
OUTAGE = Seconds(120.0)
DOWN = Seconds(5.0)
"""How long the hub is away when it is restarted."""
PATIENCE = Seconds(300.0)
"""Virtual time in which anything must have come to pass."""
COUNTED = Seconds(60.0)
"""What happens in so long is counted as recovery, all of it: half-open IKE SAs that nobody needs stay half a minute."""
CALM = Seconds(20.0)
"""For how long it must then stay so: late repetitions and deletes of what was replaced fall into it."""
_REST = 0.3
"""Of the peace; the first child is rekeyed after 0.4 of it."""
_LOOK = Seconds(0.25)
"""From one look at all tunnels to the next."""
_ASK = Seconds(1.0)
"""From one packet to the next that asks whether a tunnel carries."""


@dataclass(slots=True)
class Phase:
    """A part of the story. Times are virtual seconds."""

    name: str
    began: Instant
    meter: Meter
    """Of the hub."""
    took: float = 0.0
    """Until every tunnel was up, or carried again, or was gone."""
    settled: float = 0.0
    """Until nothing was being negotiated any more, to a quarter of a second."""
    spent: float = 0.0
    """In all."""
    held: int = 0
    """Octets that the hub's engine held at its end, besides its plan."""
    frames: Counter[int] = field(default_factory=Counter)
    """What all sites sent, by the second."""

    @property
    def sent(self) -> int:
        return sum(self.frames.values())

    @property
    def busiest(self) -> int:
        """Frames sent in one second."""
        return max(self.frames.values(), default=0)


class Hub:
    """The story. Its phases are told in the order in which they stand here, or all by `live`."""

    def __init__(self, tunnels: int, seed: int, peace: Seconds, stride: int = 7) -> None:
        self.tunnels = tunnels
        self.peace = peace
        """So long nothing disturbs them: each child is rekeyed twice in it, and each IKE SA once."""
        self.phases: dict[str, Phase] = {}
        self._stride = stride
        self._phase = Phase("before", Instant(0.0), Meter(stride))
        self._hub_plan, plans = _plans(tunnels, peace)
        again = f"python -m bench.simulated_scale --tunnels {tunnels} --seed {seed} --minutes {peace / 60:g}"
        self.world = World(seed, LINK, make=self._brain, replay=again)
        self.world.look_every = tunnels
        self.world.network.taps.append(self._see)
        self.hub = self.world.site("hub", self._hub_plan, RESPONDER)
        self.peers = [self.world.site(name_of(n), plan, address_of(n)) for n, plan in enumerate(plans)]
        self.sites = [self.hub, *self.peers]
        self.hub.boot()
        self._fresh = self._held
        self._unproved: set[str] = set()
        self.hub.arrivals.append(self._arrived)

    def live(self) -> None:
        """The whole of it."""
        for act in (self.set_up, self.rest, self.rekeys, self.outage, self.restart, self.deletes):
            act()

    def memory(self, name: str) -> float:
        """Octets of the hub's engine at the end of a phase, for each tunnel, beyond what it held without any."""
        return (self.phases[name].held - self._fresh) / self.tunnels

    def set_up(self) -> None:
        """All are switched on at once."""
        with self._phase_of("set-up") as phase:
            self._settle()
            up = (event.at for site in self.sites for event in site.told(ChildInstalled))
            phase.took = max(up) - phase.began

    def rest(self) -> None:
        """Nothing happens but that each end makes sure of the other."""
        before = self._spis(self.hub)
        with self._phase_of("rest"):
            self.world.run(limit=Seconds(_REST * self.peace))
        self.world.check("all are as they were", not self.astray() and self._spis(self.hub) == before)

    def rekeys(self) -> None:
        """The rest of the peace: rekeys of all children, twice, and of all IKE SAs."""
        before, children = self._ike_spis(), self._spis(self.hub)
        with self._phase_of("rekeys"):
            self.world.run(limit=Seconds((1 - _REST) * self.peace))
        self._hold()
        self.world.check("every IKE SA was rekeyed", not before & self._ike_spis())
        self.world.check("every Child SA was rekeyed", not children & self._spis(self.hub))
        self.world.check("nobody began anything anew", self._begun == self.tunnels)

    def outage(self) -> None:
        """Nothing passes for a while, at any of them."""
        self.world.network.partition(OUTAGE)
        with self._phase_of("silence"):
            self.world.run(limit=OUTAGE)
        self._recover("after the silence")

    def restart(self) -> None:
        """The hub is killed, and comes back with nothing."""
        self.hub.kill()
        with self._phase_of("hub away"):
            self.world.run(limit=DOWN)
        self.hub.boot()
        self._recover("after the restart")

    def deletes(self) -> None:
        """The peers say goodbye, all at once; a moment later the last traces are gone too."""
        with self._phase_of("deletes") as phase:
            for peer in self.peers:
                peer.command(Shutdown())
            self._await(self._remaining)
            phase.took = max(e.at for site in self.sites for e in site.told(IkeDeleted, phase.began)) - phase.began
        with self._phase_of("oblivion"):
            self.world.run(limit=PATIENCE)
        self.world.check("nothing came back", self._remaining() is None)

    def astray(self) -> dict[str, str]:
        """What each peer has that has not exactly one IKE SA and one Child SA, the same at both ends and at rest."""
        at_hub: dict[str | None, list[IkeSaView]] = {}
        for ike in self.hub.ike_sas:
            at_hub.setdefault(ike.peer, []).append(ike)
        found = ((peer.name, _seen(peer.ike_sas), _seen(at_hub.get(peer.name, ()))) for peer in self.peers)
        astray = {
            name: f"{here}; at the hub {there}"
            for name, here, there in found
            if here != there or [len(children) for _, children in here] != [1]
        }
        # A responder does not know who calls until it is told.
        return {**astray, "nobody": f"{len(at_hub[None])} half-open"} if None in at_hub else astray

    def _remaining(self) -> str | None:
        for site in self.sites:
            if site.ike_sas or site.plane.installed:
                return f"{len(site.ike_sas)} IKE SAs and {len(site.plane.installed)} IPsec SAs at {site.name}"
        return next(
            (f"{peer.name} is not done" for peer in self.peers if not (peer.gateway and peer.gateway.idle)), None
        )

    def _recover(self, name: str) -> None:
        """Until every tunnel carries again, and then until there is one of each."""
        with self._phase_of(name) as phase:
            self._unproved = {peer.name for peer in self.peers}
            self._ask()
            self._await(lambda: f"{len(self._unproved)} tunnels do not carry" if self._unproved else None)
            self._settle()
            self.world.run(limit=Seconds(max(phase.began + COUNTED - self.world.now, 0.0)))
        self._hold()

    def _ask(self) -> None:
        """Whoever has not been heard yet sends a packet into its tunnel."""
        for number, peer in enumerate(self.peers):
            if peer.name in self._unproved:
                peer.emit(f"tunnel.{number + 1}", Packet(host_of(number), HUB[1]))
        if self._unproved:
            self.world.agenda.after(_ASK, self._ask)

    def _arrived(self, arrival: Arrival) -> None:
        name = arrival.child.partition(":")[0]
        if name in self._unproved:
            self._unproved.remove(name)
            self._phase.took = self.world.now - self._phase.began

    @contextmanager
    def _phase_of(self, name: str) -> Iterator[Phase]:
        phase = self._phase = self.phases[name] = Phase(name, self.world.now, Meter(self._stride))
        yield phase
        phase.spent = self.world.now - phase.began
        phase.held = self._held
        self._phase = Phase("between", self.world.now, Meter(self._stride))

    def _await(self, lacking: Callable[[], str | None]) -> None:
        end = self.world.now + PATIENCE
        while (lacks := lacking()) is not None:
            self.world.check(f"{self._phase.name} within {PATIENCE:g} s ({lacks})", self.world.now < end)
            self.world.run(limit=_LOOK)
        self._phase.settled = self.world.now - self._phase.began

    def _settle(self) -> None:
        """Waits until each has been seen to be in order: with many, there is always one that is being rekeyed."""
        astray = self.astray()

        def lacking() -> str | None:
            now = self.astray()
            for name in [name for name in astray if name not in now]:
                del astray[name]
            return next((f"{name}: {now[name]}" for name in astray), None)

        self._await(lacking)

    def _hold(self) -> None:
        """It comes to be so, and still is a while later."""
        self._settle()
        self.world.run(limit=CALM)
        self._settle()

    @property
    def _held(self) -> int:
        brain = self.hub.gateway
        return octets_of(brain.gateway, self._hub_plan) if isinstance(brain, Metered) else 0

    @property
    def _begun(self) -> int:
        """IKE SAs that somebody began."""
        return sum(event.role == "initiator" for site in self.sites for event in site.told(IkeStarted))

    def _ike_spis(self) -> set[bytes]:
        return {ike.initiator_spi for peer in self.peers for ike in peer.ike_sas}

    def _spis(self, site: Site) -> set[tuple[int, int]]:
        return {(child.spi_in, child.spi_out) for child in site.child_sas}

    def _brain(self, plan: Plan, surroundings: Surroundings) -> Metered:
        return Metered(plan, surroundings, (lambda: self._phase.meter) if plan is self._hub_plan else None)

    def _see(self, _: Frame) -> None:
        self._phase.frames[int(self.world.now)] += 1


def _seen(ike_sas: Iterable[IkeSaView]) -> list[tuple[bytes, frozenset[tuple[int, int]]]]:
    """The IKE SAs at rest with their Child SAs, named as both ends do; of what is not at rest, its state."""
    return [
        (ike.initiator_spi, frozenset((min(c.spi_in, c.spi_out), max(c.spi_in, c.spi_out)) for c in ike.children))
        if ike.state == "established" and [child.state for child in ike.children] == ["installed"]
        else (ike.state.encode(), frozenset())
        for ike in ike_sas
    ]


def _plans(tunnels: int, peace: Seconds) -> tuple[Plan, Iterator[Plan]]:
    """The hub's, and that of each peer: what two gateways of the other bench have, with lifetimes that end in time."""
    with tempfile.TemporaryDirectory() as home:
        hub, crowd = (
            _compiled(Path(home), text, peace) for text in (hub_configuration(tunnels), caller_configuration(tunnels))
        )
    alone = (
        replace(crowd, peers={name: peer}, tunnels={name: crowd.tunnels[name]}) for name, peer in crowd.peers.items()
    )
    return hub, alone


def _compiled(home: Path, text: str, peace: Seconds) -> Plan:
    (home / "psk").write_text(KEY + "\n")
    (home / "psk").chmod(0o600)
    path = home / "isthmus.yaml"
    path.write_text(text)
    compiled = compiling.compile(load(path))
    if (plan := compiled.plan) is None:
        raise ValueError("; ".join(problem.text for problem in compiled.problems))
    # Rekeys come at 80 to 90 % of a lifetime: after 0.4 and 0.8 of the peace those of children, after 0.8 the others.
    ike = replace(next(iter(plan.peers.values())).profile, lifetime=Lifetime(peace))
    child = replace(next(iter(plan.tunnels.values())).profile, lifetime=Lifetime(Seconds(0.5 * peace)))
    peers = {name: replace(peer, profile=ike) for name, peer in plan.peers.items()}
    tunnels = {name: replace(tunnel, profile=child) for name, tunnel in plan.tunnels.items()}
    return replace(plan, peers=peers, tunnels=tunnels)
