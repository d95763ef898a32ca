"""A client of the application, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from isthmus.api.app import create_app
from tests.api.fakes import FakeDaemon, moment


def ask(
    daemon: FakeDaemon,
    path: str,
    *,
    method: str = "GET",
    meanwhile: Callable[[], None] = lambda: None,
    faults: list[Exception] | None = None,
    **request: Any,
) -> httpx.Response:
    """Asks, lets `meanwhile` happen once the request waits, and returns the answer."""
    found = [] if faults is None else faults

    async def conversation() -> httpx.Response:
        app = create_app(daemon, daemon.plane.traffic, found.append, moment)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            asking = asyncio.create_task(client.request(method, path, **request))
            before = len(daemon.commands)
            for _ in range(50):
                await asyncio.sleep(0)
                if len(daemon.commands) > before:
                    break
            meanwhile()
            return await asking

    return asyncio.run(conversation())
