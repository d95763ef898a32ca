"""A gateway process whose data plane makes devices and does nothing else. Says what happens, one word a line.

python -m tests.runtime.process CONFIG [stubborn] [patient] [broken-service] [broken-listener]
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from isthmus.engine.gateway import Gateway
from isthmus.events.event import Event
from isthmus.runtime import daemon as subject
from isthmus.runtime.configuration import ConfigurationInvalid, read
from isthmus.runtime.daemon import Daemon
from isthmus.runtime.lock import AlreadyRunning
from tests.runtime.test_attachment import TunPlane


def say(word: str) -> None:
    print(word, flush=True)


def listener(event: Event) -> None:
    if not event.code.startswith(("ike.", "message.")):
        say(event.code)


def broken_listener(event: Event) -> None:
    raise RuntimeError(event.code)


async def service(daemon: Daemon) -> None:
    say("service-up")
    try:
        await asyncio.Event().wait()
    finally:
        say("service-down")


async def broken_service(daemon: Daemon) -> None:
    raise RuntimeError


def main(config: str, *whims: str) -> int:
    if "stubborn" in whims:
        # As with a peer that never answers the deletion of an SA.
        Gateway.idle = property(lambda _: False)  # type: ignore[method-assign, assignment]
    if "patient" in whims:
        subject.FAREWELL = 3600.0
    listeners = [broken_listener, listener] if "broken-listener" in whims else [listener]
    services = [broken_service, service] if "broken-service" in whims else [service]
    try:
        daemon = Daemon(Path(config), read, TunPlane, listeners=listeners)
        asyncio.run(daemon.run(services))
    except ConfigurationInvalid:
        say("invalid")
        return 5
    except AlreadyRunning:
        say("already-running")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
