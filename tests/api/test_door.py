from __future__ import annotations

import socket
from pathlib import Path

import pytest

from isthmus.api.door import Door, SocketTaken
from isthmus.cli.client import Client
from tests.api.fakes import FakeDaemon
from tests.api.serving import served


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
            Door(path).bind()
        assert Client(path).rows("/v1/ike-sa") == []


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("kept")
    with pytest.raises(SocketTaken):
        Door(path).bind()
    assert path.read_text() == "kept"


def test_a_socket_that_someone_else_put_in_its_place_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "isthmus.sock"
    with served(FakeDaemon(), path):
        path.unlink()
        path.write_text("another's")
    assert path.read_text() == "another's"
