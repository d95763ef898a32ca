from __future__ import annotations

import asyncio
import signal
import stat
from pathlib import Path

import pytest

from isthmus.api.app import create_app
from isthmus.api.door import Door
from isthmus.api.server import Server
from isthmus.cli.client import Client
from tests.api.fakes import FakeDaemon, ike_view, moment
from tests.api.serving import served


def server_at(path: Path) -> Server:
    daemon, door = FakeDaemon(), Door(path)
    door.bind()
    return Server(create_app(daemon, daemon.plane.traffic, lambda fault: None, moment), door)


def test_the_socket_is_its_owners_alone_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "new" / "directory" / "isthmus.sock"
    with served(FakeDaemon(ike_view()), path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(Client(path).rows("/v1/ike-sa")) == 1
    assert not path.exists()


def test_cancelling_ends_the_service_and_removes_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "isthmus.sock"

    async def run() -> None:
        server = server_at(path)
        serving = asyncio.create_task(server.serve())
        await asyncio.sleep(0.05)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    asyncio.run(run())
    assert not path.exists()


def test_signals_stay_with_the_gateway_process(tmp_path: Path) -> None:
    async def run() -> object:
        server = server_at(tmp_path / "isthmus.sock")
        serving = asyncio.create_task(server.serve())
        await asyncio.sleep(0.05)
        during = signal.getsignal(signal.SIGTERM)
        server.stop()
        await serving
        return during

    assert asyncio.run(run()) == signal.getsignal(signal.SIGTERM)
