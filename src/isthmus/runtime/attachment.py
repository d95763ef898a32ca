"""What a plan needs of the host, kept up: interfaces, listeners, addresses, routes, rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, TypeVar

from isthmus.dataplane.backend import DataPlaneRefusal
from isthmus.engine.views import IkeSaView
from isthmus.events.event import Event
from isthmus.events.network import NetworkRefused
from isthmus.model.address import Address
from isthmus.model.plan import FixedPeer, PeerPlan, Plan, TunnelPlan
from isthmus.model.quantities import Instant
from isthmus.network import host
from isthmus.network.desired import Link, desired_state
from isthmus.network.mtu import Envelope
from isthmus.network.reconcile import HostNetwork
from isthmus.network.watch import Watch
from isthmus.runtime.plane import Plane
from isthmus.runtime.transport import Transport, reason

T = TypeVar("T")


class Attachment:
    """Follows the plan by difference; what a new plan does not touch is not touched.

    The kernel is spoken to on a thread of its own: a thousand routes take a while, and IKE must not wait.
    """

    def __init__(
        self,
        plane: Plane,
        transport: Transport,
        *,
        record: Callable[[Event], None],
        clock: Callable[[], Instant],
        network: HostNetwork | None = None,
    ) -> None:
        self._plane: Final = plane
        self._transport: Final = transport
        self._record: Final = record
        self._clock: Final = clock
        self._network: Final = network or HostNetwork()
        self._thread: Final = ThreadPoolExecutor(1, thread_name_prefix="network")
        self._watch: Final = Watch()
        self._turn: Final = asyncio.Lock()
        self._plan = Plan()
        self._interfaces: set[str] = set()
        self._told: set[str] = set()
        self._detached = False
        self._agreed: dict[str, tuple[Envelope, ...]] = {}

    @property
    def links(self) -> dict[str, Link]:
        """The tunnel interfaces that stand, with their MTUs and the reasons for them."""
        return self._network.links

    async def clean(self, plan: Plan) -> None:
        """Removes what an earlier run left behind and the plan does not want again."""

        def work() -> tuple[Event, ...]:
            return self._network.clean(desired_state(plan, host.link_mtus()), self._clock())

        self._tell(await self._blocking(work))

    async def extend(self, plan: Plan) -> None:
        """Makes all that the plan needs. What it no longer needs may still carry farewells: `trim` removes it."""
        async with self._turn:
            if self._detached:
                return
            await self._make_interfaces(plan)
            self._transport.expect(_expected(plan))
            self._transport.listen(plan.listening)
            old, self._plan = self._plan, plan
            # Where nothing changed the SAs stand, and so does what they agreed on; elsewhere it is learnt again.
            self._agreed = {name: e for name, e in self._agreed.items() if _carried(old, name) == _carried(plan, name)}
            await self._reconcile()

    async def trim(self, in_use: Collection[Address]) -> None:
        """Removes what the plan does not need, but for the addresses that an IKE SA still speaks from."""
        async with self._turn:
            for name in sorted(self._interfaces - _tunnel_interfaces(self._plan)):
                self._remove_interface(name)
            self._transport.retain(frozenset(self._plan.listening) | frozenset(in_use))

    @property
    def disturbed(self) -> bool:
        """Whether the host's network changed since this was last asked, or something could not be made."""
        return bool(self._told) or self._watch.changed()

    async def repair(self) -> None:
        """Puts back what others took away, and makes what could not be made before."""
        async with self._turn:
            if self._detached:
                return
            await self._make_interfaces(self._plan)
            await self._reconcile()

    async def fit(self, ike_sas: Iterable[IkeSaView]) -> None:
        """Fits the MTUs to what the SAs agreed on."""
        async with self._turn:
            # What was agreed on last stays while a tunnel is down: its MTU need not jump to and fro.
            agreed = self._agreed | _agreed(self._plan, ike_sas)
            if agreed != self._agreed and not self._detached:
                self._agreed = agreed
                await self._reconcile()

    async def detach(self) -> None:
        """Takes back all of it, for good. The data plane is closed by its owner."""
        async with self._turn:
            self._detached = True
            self._tell(await self._blocking(lambda: self._network.remove(self._clock())))
            for name in sorted(self._interfaces):
                self._remove_interface(name)
            self._transport.close()
        self._thread.shutdown()
        self._watch.close()

    async def _make_interfaces(self, plan: Plan) -> None:
        missing = sorted(_tunnel_interfaces(plan) - self._interfaces)
        if not missing:
            return
        # Opening a TUN device by a name that exists would take over somebody's device.
        foreign = await self._blocking(lambda: self._network.foreign(missing))
        for name in missing:
            if name in foreign:
                self._refused(f"make interface {name}", "an interface of that name exists already, and is not ours")
                continue
            try:
                self._plane.add_interface(name)
            except (OSError, DataPlaneRefusal) as error:
                self._refused(f"make interface {name}", reason(error))
                continue
            self._interfaces.add(name)
            self._told.discard(f"make interface {name}")

    def _remove_interface(self, name: str) -> None:
        self._interfaces.discard(name)
        try:
            self._plane.remove_interface(name)
        except (OSError, DataPlaneRefusal) as error:
            self._refused(f"remove interface {name}", reason(error))

    def _refused(self, change: str, why: str) -> None:
        """Tells it once: repairs repeat."""
        if change not in self._told:
            self._told.add(change)
            self._record(NetworkRefused(at=self._clock(), change=change, why=why))

    async def _reconcile(self) -> None:
        plan, agreed, made = self._plan, dict(self._agreed), frozenset(self._interfaces)

        def work() -> tuple[Event, ...]:
            desired = desired_state(plan, host.link_mtus(), agreed)
            return self._network.apply(desired.without(desired.links.keys() - made), self._clock())

        self._tell(await self._blocking(work))

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._record(event)

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _tunnel_interfaces(plan: Plan) -> frozenset[str]:
    return frozenset(name for name, interface in plan.interfaces.items() if interface.is_tunnel)


def _carried(plan: Plan, interface: str) -> list[tuple[TunnelPlan, PeerPlan | None]]:
    """What decides on the envelopes of an interface's packets."""
    tunnels = (t for t in plan.tunnels.values() if t.interface == interface)
    return [(replace(tunnel, enabled=True), plan.peers.get(tunnel.peer)) for tunnel in tunnels]


def _expected(plan: Plan) -> dict[Address, frozenset[Address]]:
    """By our address towards them: where the peers are that have an address of their own."""
    found: dict[Address, set[Address]] = {}
    for peer in plan.peers.values():
        if isinstance(peer.address, FixedPeer):
            found.setdefault(peer.local, set()).add(peer.address.address)
    return {local: frozenset(peers) for local, peers in found.items()}


def _agreed(plan: Plan, ike_sas: Iterable[IkeSaView]) -> dict[str, tuple[Envelope, ...]]:
    """For each interface that has Child SAs: what these put around its packets."""
    found: dict[str, set[Envelope]] = {}
    for ike in ike_sas:
        for child in ike.children:
            if tunnel := plan.tunnels.get(child.tunnel):
                suite, version = child.suite, ike.local.address.version
                envelope = Envelope(version, child.udp, suite.encryption, suite.integrity, suite.protocol, child.mode)
                found.setdefault(tunnel.interface, set()).add(envelope)
    return {interface: tuple(sorted(envelopes, key=str)) for interface, envelopes in found.items()}
