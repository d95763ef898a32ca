from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from isthmus.runtime.notify import Supervisor


@pytest.fixture
def manager(tmp_path: Path) -> object:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(0.2)
        yield listening


def said(manager: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(manager.recv(1000).decode())
        except TimeoutError:
            return found


def test_each_step_is_told_in_the_manager_s_words(manager: socket.socket) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": manager.getsockname()})
    supervisor.ready()
    supervisor.reloading()
    supervisor.stopping()
    ready, reloading, stopping = said(manager)
    assert (ready, stopping) == ("READY=1", "STOPPING=1")
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")


def test_a_status_is_told_when_it_changes(manager: socket.socket) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": manager.getsockname()})
    for text in ("1/2 tunnels up", "1/2 tunnels up", "2/2 tunnels up"):
        supervisor.status(text)
    assert said(manager) == ["STATUS=1/2 tunnels up", "STATUS=2/2 tunnels up"]


def test_signs_of_life_are_for_the_watched_process_only(manager: socket.socket) -> None:
    address = {"NOTIFY_SOCKET": manager.getsockname()}
    Supervisor(address).alive()
    Supervisor({**address, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}).alive()
    assert said(manager) == []
    Supervisor({**address, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": str(os.getpid())}).alive()
    assert said(manager) == ["WATCHDOG=1"]


def test_an_abstract_socket_is_reached_by_its_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0isthmus-test-{os.getpid()}")
        Supervisor({"NOTIFY_SOCKET": f"@isthmus-test-{os.getpid()}"}).ready()
        assert listening.recv(100) == b"READY=1"


def test_without_a_manager_or_with_a_dead_one_nothing_happens(tmp_path: Path) -> None:
    Supervisor({}).ready()
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
