"""`isthmus run`: the gateway in the foreground."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.exit import ExitStatus, Failure
from isthmus.observe.log import EventLog, LogFormat

if TYPE_CHECKING:
    from isthmus.api.door import Door
    from isthmus.config.problems import Problem
    from isthmus.observe.traffic import TrafficTotals
    from isthmus.runtime.configuration import Configured
    from isthmus.runtime.daemon import Daemon


_COLLECT_AFTER = (10_000, 20, 20)
"""Objects more than before, and collections of the younger generations. What ends is mostly freed without the
collector; looking at a thousand SAs every seven hundred objects would cost more than it finds."""


class Level(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


def run(
    ctx: typer.Context,
    config: Annotated[Path, typer.Option("--config", "-c", help="A configuration file, or a directory of them.")],
    socket: Annotated[Path | None, typer.Option(readable=False, help="Where to listen for the other verbs.")] = None,
    log_format: Annotated[
        LogFormat | None, typer.Option(help="Default: text on a terminal, JSON lines elsewhere.")
    ] = None,
    log_level: Annotated[Level, typer.Option(help="The least severe events that are logged.")] = Level.INFO,
) -> None:
    """Run the gateway in the foreground. SIGTERM ends it politely, SIGHUP reads the configuration again."""
    # A start makes a hundred thousand objects that stay: looking for garbage among them takes a tenth of it.
    gc.disable()
    # Imported here: the engine takes a quarter of a second, and help needs none of it.
    from isthmus.events.event import Severity
    from isthmus.runtime.configuration import ConfigurationInvalid
    from isthmus.runtime.lock import AlreadyRunning
    from isthmus.runtime.rights import NotPermitted

    log = EventLog(form=log_format, level=Severity(log_level.value))
    try:
        daemon, traffic = _daemon(config, log)
    except ConfigurationInvalid as invalid:
        for problem in invalid.problems:
            print(problem, file=sys.stderr)
        raise Failure(ExitStatus.CONFIGURATION_INVALID, f"{config} cannot be used") from None
    door = _door(socket or ctx.obj)
    try:
        asyncio.run(daemon.run([_service(daemon, traffic, door)]))
    except AlreadyRunning as running:
        raise Failure(ExitStatus.FAILED, running.why) from None
    except NotPermitted as refusal:
        raise Failure(ExitStatus.NO_PERMISSION, refusal.why) from None
    finally:
        door.unbind()
        gc.enable()


def _daemon(config: Path, log: EventLog) -> tuple[Daemon, TrafficTotals]:
    from isthmus.api.metered import MeteredPlane
    from isthmus.observe.traffic import TrafficTotals
    from isthmus.runtime.configuration import read
    from isthmus.runtime.daemon import Daemon

    traffic = TrafficTotals(lambda sa: daemon.plane.counters(sa))
    daemon = Daemon(config, _warning(read, log), lambda: MeteredPlane(traffic), listeners=[log.record])
    return daemon, traffic


def _door(path: Path) -> Door:
    """Taken before anything else: a second gateway fails before it touches anything."""
    from isthmus.api.door import Door, SocketTaken

    door = Door(path)
    try:
        door.bind()
    except SocketTaken as taken:
        raise Failure(ExitStatus.FAILED, str(taken)) from None
    except PermissionError:
        raise Failure(ExitStatus.NO_PERMISSION, f"no permission to make {path}") from None
    return door


def _service(daemon: Daemon, traffic: TrafficTotals, door: Door) -> Callable[[Daemon], Awaitable[None]]:
    """The API. With it all that lasts has been loaded, and the garbage collector need never look at that again."""
    from isthmus.api.service import Service
    from isthmus.runtime import clock
    from isthmus.runtime.faults import fault

    def on_fault(error: Exception) -> None:
        daemon.record(fault("answering a request", error, clock.now()))

    service = Service(daemon, traffic, on_fault, door)

    async def serve(_daemon: Daemon) -> None:
        try:
            await service.load()
        finally:
            gc.freeze()
            gc.set_threshold(*_COLLECT_AFTER)
            gc.enable()
        await service.serve()

    return serve


def _warning(read: Callable[[Path], Configured], log: EventLog) -> Callable[[Path], Configured]:
    """The same, and the first configuration's warnings are logged; those of a reload stand in its event."""
    said = False

    def reading(path: Path) -> Configured:
        nonlocal said
        configured = read(path)
        if configured.plan is not None and not said:
            said = True
            for problem in configured.problems:
                _say(problem, log)
        return configured

    return reading


def _say(problem: Problem, log: EventLog) -> None:
    from isthmus.events.event import Severity

    log.say(Severity.WARNING, "configuration.warning", str(problem), problem=problem.code.name)
