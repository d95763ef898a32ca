from __future__ import annotations

import asyncio
import signal
import socket
import stat
from pathlib import Path

import pytest

from isthmus.api.app import create_app
from isthmus.api.server import Server, SocketTaken
from isthmus.cli.client import Client
from tests.api.fakes import FakeDaemon, ike_view, moment
from tests.api.serving import served


def server_at(path: Path) -> Server:
    daemon = FakeDaemon()
    return Server(create_app(daemon, daemon.plane.traffic, lambda fault: None, moment), path)


def test_the_socket_is_its_owners_alone_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "new" / "directory" / "isthmus.sock"
    with served(FakeDaemon(ike_view()), path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(Client(path).rows("/v1/ike-sa")) == 1
    assert not path.exists()


def test_the_socket_of_a_killed_gateway_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "isthmus.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with served(FakeDaemon(), path):
        assert Client(path).rows("/v1/ike-sa") == []


def test_a_gateway_that_answers_keeps_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "isthmus.sock"
    with served(FakeDaemon(), path):
        with pytest.raises(SocketTaken):
            server_at(path).bind()
        assert Client(path).rows("/v1/ike-sa") == []


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("kept")
    with pytest.raises(SocketTaken):
        server_at(path).bind()
    assert path.read_text() == "kept"


def test_cancelling_ends_the_service_and_removes_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "isthmus.sock"

    async def run() -> None:
        server = server_at(path)
        server.bind()
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
        server.bind()
        serving = asyncio.create_task(server.serve())
        await asyncio.sleep(0.05)
        during = signal.getsignal(signal.SIGTERM)
        server.stop()
        await serving
        return during

    assert asyncio.run(run()) == signal.getsignal(signal.SIGTERM)


def test_a_socket_that_someone_else_put_in_its_place_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "isthmus.sock"
    with served(FakeDaemon(), path):
        path.unlink()
        path.write_text("another's")
    assert path.read_text() == "another's"
