"""The API as a service of the gateway: loaded while the gateway negotiates already."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Final

from isthmus.api.daemon import Daemon
from isthmus.api.door import Door
from isthmus.events.event import Event
from isthmus.observe.traffic import TrafficTotals


class Service:
    """Its libraries take a good part of what the whole gateway takes to start, and no peer waits for them."""

    def __init__(
        self, daemon: Daemon, traffic: TrafficTotals, on_fault: Callable[[Exception], None], door: Door
    ) -> None:
        self._daemon: Final = daemon
        self._traffic: Final = traffic
        self._on_fault: Final = on_fault
        self._door: Final = door
        self._missed: list[Event] = []
        """What happens before the metrics are there to count it."""
        self._unsubscribe: Final = daemon.subscribe(self._missed.append)

    async def load(self) -> None:
        """Loads it, beside the loop that carries the negotiations on."""
        for module in ("isthmus.api.app", "isthmus.api.server"):
            await asyncio.to_thread(importlib.import_module, module)

    async def serve(self) -> None:
        """Serves until it is cancelled."""
        from isthmus.api.app import create_app
        from isthmus.api.server import Server

        app = create_app(self._daemon, self._traffic, self._on_fault, missed=self._missed)
        self._unsubscribe()
        self._missed.clear()
        await Server(app, self._door).serve()
