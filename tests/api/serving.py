"""The application on a real socket, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isthmus.api.app import create_app
from isthmus.api.door import Door
from isthmus.api.server import Server
from tests.api.fakes import FakeDaemon, moment


@contextmanager
def served(daemon: FakeDaemon, path: Path) -> Iterator[Path]:
    """Answers at `path` while the block runs."""
    door = Door(path)
    door.bind()
    server = Server(create_app(daemon, daemon.plane.traffic, lambda fault: None, moment), door)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        yield path
    finally:
        server.stop()
        thread.join()
