"""The UNIX socket that the API listens on, which only its owner may open. Taken before the API is loaded."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path

MODE = 0o600
BACKLOG = 64


class SocketTaken(Exception):
    """Another process answers on the socket, or something that is no socket is in its place."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class Door:
    """Clients that come before the API is there wait in front of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._inode = 0

    @property
    def listening(self) -> socket.socket:
        if self._socket is None:
            raise RuntimeError("bind first")
        return self._socket

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
