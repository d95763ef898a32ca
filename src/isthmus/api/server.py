"""HTTP on a UNIX socket that only its owner may open."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

MODE = 0o600
BACKLOG = 64

MAX_CLIENTS = 64
"""Connections and requests at once; more get 503."""

KEEP_ALIVE = 5
"""Seconds that a connection may idle."""

FAREWELL = 2
"""Seconds for requests to finish when the gateway stops."""


class SocketTaken(Exception):
    """Another process answers on the socket, or something that is no socket is in its place."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class Server:
    """Serves the application until told to stop. Signals are the gateway process's business, not this one's."""

    def __init__(self, app: ASGIApp, path: Path) -> None:
        self._path = path
        self._uvicorn = _Quiet(
            uvicorn.Config(
                app,
                http="h11",
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
        self._socket: socket.socket | None = None
        self._inode = 0

    def bind(self) -> None:
        """Takes the socket, so that a second gateway fails before it touches anything."""
        self._socket = _listen(self._path)
        self._inode = self._path.stat().st_ino

    def unbind(self) -> None:
        """Gives the socket back; a file that someone else put in its place stays."""
        if self._socket is None:
            return
        self._socket.close()
        self._socket = None
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    async def serve(self) -> None:
        """Serves until `stop`, or until it is cancelled; requests at work may finish, and the socket's file goes."""
        if self._socket is None:
            raise RuntimeError("bind first")
        serving = asyncio.create_task(self._uvicorn.serve(sockets=[self._socket]))
        try:
            await asyncio.shield(serving)
        finally:
            self.stop()
            await serving
            self.unbind()

    def stop(self) -> None:
        """Finishes what is being served, then lets `serve` return."""
        self._uvicorn.should_exit = True


class _Quiet(uvicorn.Server):
    """Leaves signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(path: Path) -> socket.socket:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    _remove_stale(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The file must never be wider than MODE, not even between bind and chmod.
    before = os.umask(0o777 & ~MODE)
    try:
        listening.bind(str(path))
    except OSError as error:
        listening.close()
        raise SocketTaken(path, os.strerror(error.errno or errno.EADDRINUSE)) from error
    finally:
        os.umask(before)
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


def _remove_stale(path: Path) -> None:
    """Removes the socket of a gateway that was killed; one that answers is left alone."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketTaken(path, "exists and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise SocketTaken(path, os.strerror(error.errno or errno.EADDRINUSE)) from error
    raise SocketTaken(path, "another gateway answers there")
