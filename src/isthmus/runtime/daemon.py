"""The gateway process from its start to its end: signals, reload, and the order of things."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

from isthmus import __version__
from isthmus.engine.commands import Apply, Command, Shutdown
from isthmus.engine.gateway import Gateway
from isthmus.engine.surroundings import Surroundings
from isthmus.events.child import ChildInstalled
from isthmus.events.event import Event
from isthmus.events.runtime import ReloadApplied, ReloadRefused, RuntimeFault, Started, Stopped, Stopping
from isthmus.model.plan import Plan
from isthmus.network import host
from isthmus.network.desired import Link
from isthmus.observe.journal import Journal
from isthmus.runtime import clock, lock, rights
from isthmus.runtime.attachment import Attachment
from isthmus.runtime.configuration import Configured, Source
from isthmus.runtime.driver import Driver
from isthmus.runtime.entropy import SystemEntropy
from isthmus.runtime.faults import fault
from isthmus.runtime.notify import Supervisor
from isthmus.runtime.plane import Plane
from isthmus.runtime.relocation import relocated
from isthmus.runtime.resolver import Resolver
from isthmus.runtime.switches import still_switched
from isthmus.runtime.transport import Transport

Listener: TypeAlias = Callable[[Event], None]
Service: TypeAlias = Callable[["Daemon"], Awaitable[None]]
"""Something that runs beside the gateway, as the API does. Cancelled at the end."""

FAREWELL = 3.0
"""Seconds that peers get to answer our deletions, and services to finish."""
GLANCE = 0.01
"""Seconds between two looks at whether they have."""
BEAT = 1.0
"""Seconds between two looks at what needs no answer at once."""
BEATS_PER_RETRY = 5
REST = 20.0
"""Times the duration of a repair, or of fitting the MTUs, that pass before the next one: on a host whose routes never
rest, or while a thousand tunnels come up, it takes one part in twenty of a core."""
SHORTEST_REST = 2.0


class Daemon:
    """The gateway process. Reads its configuration when made, and runs until a signal or `stop` ends it.

    To be made outside an event loop: reading may ask the kernel for addresses, which blocks.
    """

    def __init__(
        self, config: Path, source: Source, plane: Callable[[], Plane], *, listeners: Sequence[Listener] = ()
    ) -> None:
        self.config: Final = config
        self.journal: Final = Journal()
        self.started_at: Final = clock.now()
        self.gateway: Final = Gateway(source(config).required(), Surroundings(SystemEntropy()))
        self.plane: Final = plane()
        self._source: Final = source
        self._listeners: list[Listener] = [self.journal.record, *listeners]
        self._supervisor: Final = Supervisor()
        outlets: dict[str, Any] = {"record": self.record, "clock": clock.now}
        self._transport: Final = Transport(self.plane, deliver=lambda d: self._driver.receive(d), **outlets)
        self._resolver: Final = Resolver(answer=self.command, **outlets)
        self._attachment: Final = Attachment(self.plane, self._transport, **outlets)
        self._driver: Final = Driver(
            self.gateway,
            self.plane,
            self._transport,
            look_up=self._resolver.look_up,
            call_later=lambda wait, call: asyncio.get_running_loop().call_later(wait, call),
            **outlets,
        )
        self._ending: Final = asyncio.Event()
        self._hurrying: Final = asyncio.Event()
        self._turn: Final = asyncio.Lock()
        self._reloads: set[asyncio.Task[None]] = set()
        self._unfitted = False
        self._disturbed = False
        self._next_repair = self._next_fit = 0.0

    @property
    def plan(self) -> Plan:
        """The running one."""
        return self.gateway.plan

    @property
    def links(self) -> dict[str, Link]:
        """The tunnel interfaces that stand, with their MTUs and the reasons for them."""
        return self._attachment.links

    def command(self, command: Command) -> None:
        """Hands it to the engine and carries out what follows."""
        self._driver.command(command)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls the listener with each event as it happens; returns what ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return unsubscribe

    def record(self, event: Event) -> None:
        """Tells every listener. One that fails harms neither the others nor the gateway."""
        self._unfitted |= isinstance(event, ChildInstalled)
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception as error:
                self.journal.record(fault(f"telling of {event.code}", error, clock.now()))

    def stop(self, why: str) -> None:
        """Ends the process politely; said twice, at once."""
        if self._ending.is_set():
            self._hurrying.set()
            return
        self._ending.set()
        self._supervisor.stopping()
        self.record(Stopping(at=clock.now(), why=why))

    async def reload(self) -> Configured:
        """Makes the file the running configuration if it is valid; otherwise nothing changes, and an event says why."""
        async with self._turn:
            self._supervisor.reloading()
            try:
                found = await asyncio.to_thread(self._source, self.config)
                if not self._ending.is_set():
                    await self._adopt(found)
                return found
            finally:
                self._say_ready()

    async def run(self, services: Sequence[Service] = ()) -> None:
        """Runs until a signal or `stop`. Raises `NotPermitted` or `AlreadyRunning` before it touches anything."""
        rights.require()
        rights.claim_descriptors()
        with lock.held():
            self._take_signals()
            async with AsyncExitStack() as held:
                # In reverse order, each of them whatever becomes of the others.
                held.callback(self.plane.close)
                held.push_async_callback(self._attachment.detach)
                held.push_async_callback(self._resolver.close)
                held.callback(self._driver.close)
                await self._attachment.clean(self.plan)
                await self._attachment.extend(self.plan)
                held.enter_context(self._listening_to_plane())
                await held.enter_async_context(self._beside(self._keep_house))
                self._driver.wake()
                async with self._beside(*(lambda s=service: s(self) for service in services)):
                    self._say_started()
                    await self._ending.wait()
                    await self._take_leave()
            self.record(Stopped(at=clock.now(), unanswered=len(self.gateway.ike_sas())))

    async def _adopt(self, found: Configured) -> None:
        problems = tuple(str(problem) for problem in found.problems)
        if found.plan is None:
            self.record(ReloadRefused(at=clock.now(), config=str(self.config), problems=problems))
            return
        plan = still_switched(found.plan, self.plan)
        await self._attachment.extend(plan)
        self.command(Apply(plan))
        await self._attachment.trim(self.gateway.local_addresses)
        self.record(ReloadApplied(at=clock.now(), config=str(self.config), warnings=problems))

    async def _take_leave(self) -> None:
        """Deletes the SAs, and gives the peers a moment to agree."""
        self.command(Shutdown())
        patience = clock.now() + FAREWELL
        while not (self.gateway.idle or self._hurrying.is_set() or clock.now() >= patience):
            await asyncio.sleep(GLANCE)

    def _say_started(self) -> None:
        plan = self.plan
        children = sum(len(tunnel.children) for tunnel in plan.tunnels.values())
        self.record(
            Started(
                at=clock.now(),
                version=__version__,
                config=str(self.config),
                peers=len(plan.peers),
                children=children,
            )
        )
        self._say_ready()

    def _say_ready(self) -> None:
        if not self._ending.is_set():
            self._supervisor.ready()

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._tell_of_stray)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, number.name)
        loop.add_signal_handler(signal.SIGHUP, self._reload_by_signal)

    def _reload_by_signal(self) -> None:
        async def reload() -> None:
            with self._faults_told("reloading"):
                await self.reload()

        task = asyncio.get_running_loop().create_task(reload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    @contextlib.contextmanager
    def _listening_to_plane(self) -> Iterator[None]:
        loop, plane = asyncio.get_running_loop(), self.plane.fileno()

        def harvest() -> None:
            # A plane that cannot tell what it has stays readable: asking it without pause would help nobody.
            # Housekeeping asks again each second.
            if not self._driver.harvest():
                loop.remove_reader(plane)
                loop.call_later(BEAT, lambda: None if self._ending.is_set() else loop.add_reader(plane, harvest))

        loop.add_reader(plane, harvest)
        try:
            yield
        finally:
            loop.remove_reader(plane)

    @asynccontextmanager
    async def _beside(self, *works: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Runs these until the end of the block; one that fails is told of, and the gateway goes on."""

        async def run(work: Callable[[], Awaitable[None]]) -> None:
            with self._faults_told("running a service"):
                await work()

        tasks = [asyncio.create_task(run(work)) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=FAREWELL)

    async def _keep_house(self) -> None:
        for beat in itertools.count(1):
            await asyncio.sleep(BEAT)
            with self._faults_told("keeping house"):
                await self._beat(beat)

    async def _beat(self, beat: int) -> None:
        self._supervisor.alive()
        self._driver.harvest()
        self._driver.listen_for_life()
        await self._fit()
        if beat % BEATS_PER_RETRY == 0:
            self._transport.retry()
            await self._attachment.trim(self.gateway.local_addresses)
            states = [tunnel.state for tunnel in self.gateway.tunnels()]
            self._supervisor.status(f"{states.count('up')}/{len(states)} tunnels up")
        await self._repair()

    async def _fit(self) -> None:
        begun = clock.now()
        if self._unfitted and begun >= self._next_fit:
            self._unfitted = False
            await self._attachment.fit(self.gateway.ike_sas())
            ended = clock.now()
            self._next_fit = ended + REST * (ended - begun)

    async def _repair(self) -> None:
        self._disturbed |= self._attachment.disturbed
        begun = clock.now()
        if self._disturbed and begun >= self._next_repair:
            self._disturbed = False
            await self._attachment.repair()
            await self._follow_interfaces()
            ended = clock.now()
            self._next_repair = ended + max(SHORTEST_REST, REST * (ended - begun))

    async def _follow_interfaces(self) -> None:
        """Whoever has no address of its own configured takes its interface's new one; its SAs go along (RFC 4555)."""
        async with self._turn:
            plan = await asyncio.to_thread(relocated, self.plan, functools.cache(host.addresses))
            if plan is not None:
                await self._attachment.extend(plan)
                self.command(Apply(plan))
                self._unfitted = True  # the children that go along still decide the MTU
                await self._attachment.trim(self.gateway.local_addresses)

    @contextlib.contextmanager
    def _faults_told(self, doing: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.record(fault(doing, error, clock.now()))

    def _tell_of_stray(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error, doing = context.get("exception"), str(context.get("message", "running a callback"))
        if isinstance(error, BaseException):
            self.record(fault(doing, error, clock.now()))
        else:
            self.record(RuntimeFault(at=clock.now(), doing=doing, error="unknown"))
