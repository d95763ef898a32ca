"""HTTP at the door."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from isthmus.api.door import Door

MAX_CLIENTS = 64
"""Connections and requests at once; more get 503."""

KEEP_ALIVE = 5
"""Seconds that a connection may idle."""

FAREWELL = 2
"""Seconds for requests to finish when the gateway stops."""


class Server:
    """Serves the application until told to stop. Signals are the gateway process's business, not this one's."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._door = door
        self._uvicorn = _Quiet(
            uvicorn.Config(
                app,
                http=H11Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                limit_concurrency=MAX_CLIENTS,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=FAREWELL,
                h11_max_incomplete_event_size=16384,
            )
        )

    async def serve(self) -> None:
        """Serves until `stop`, or until it is cancelled; requests at work may finish, and the socket's file goes."""
        serving = asyncio.create_task(self._uvicorn.serve(sockets=[self._door.listening]))
        try:
            await asyncio.shield(serving)
        finally:
            self.stop()
            await serving
            self._door.unbind()

    def stop(self) -> None:
        """Finishes what is being served, then lets `serve` return."""
        self._uvicorn.leave()


class _Quiet(uvicorn.Server):
    """Leaves signals alone, and sleeps while nobody calls: its parent looks ten times a second whether to end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """From any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._leaving.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        if not await self.on_tick(0):  # the headers of every response; whether to leave already
            await self._leaving.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
