"""Real gateway processes, one for each site, steered as an operator steers them: by the command line."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from isthmus.lab.namespaces import Namespace

_PATIENCE = 60.0
"""Seconds: a busy machine takes several to start a process."""

_ISTHMUS = (sys.executable, "-m", "isthmus")


class GatewayFailed(Exception):
    """A gateway process did not do what it must. The text carries the end of its log, `why` does not."""

    def __init__(self, why: str, log: str = "") -> None:
        super().__init__(f"{why}\n{log}".rstrip())
        self.why = why


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb said, and its exit status."""

    status: int
    text: str
    complaint: str


class RunningGateway:
    """`isthmus run` in a namespace; `home` holds its socket and its log."""

    def __init__(
        self, name: str, where: Namespace, configuration: Path, home: Path, command: Sequence[str] = _ISTHMUS
    ) -> None:
        self.name = name
        self._where = where
        self._untouched = where.fingerprint()
        home.mkdir(parents=True, exist_ok=True)
        self.socket = home / "isthmus.sock"
        self.log = home / "isthmus.log"
        with self.log.open("wb") as log:
            self._process = where.start(
                [*command, "--socket", self.socket, "run", "--config", configuration.resolve()], output=log
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def ask(self, *words: str, timeout: float = _PATIENCE) -> Answer:
        """Runs a verb against this gateway."""
        done = self._where.run(*_ISTHMUS, "--socket", self.socket, *words, timeout=timeout)
        return Answer(done.returncode, done.stdout, done.stderr)

    def table(self, *words: str) -> list[dict[str, object]]:
        """The rows of a reading verb."""
        answer = self.ask(*words, "--json")
        if answer.status != 0:
            raise GatewayFailed(f"{self.name}: {' '.join(words)} failed with {answer.status}: {answer.complaint}")
        rows: list[dict[str, object]] = json.loads(answer.text)
        return rows

    def await_answers(self, timeout: float = _PATIENCE) -> None:
        """Waits until it listens to the command line."""
        for _ in self._until(timeout, lambda: "it does not answer"):
            if self._rows("/v1/tunnels") is not None:
                return

    def await_tunnels(self, timeout: float = _PATIENCE) -> float:
        """Waits until every enabled tunnel is up; how long that took."""
        began = time.monotonic()
        down: list[str] = ["it does not answer"]
        for _ in self._until(timeout, lambda: "; ".join(down)):
            if (rows := self._rows("/v1/tunnels")) is not None:
                missing = [row for row in rows if row["state"] not in ("up", "disabled")]
                down[:] = (f"{_name(row)} is {row['state']}: {row['reason'] or 'no reason yet'}" for row in missing)
                if not down:
                    break
        return time.monotonic() - began

    def await_single_sas(self, timeout: float = _PATIENCE) -> None:
        """Waits until no tunnel has two SA pairs, as it may for a moment when both ends began at once."""
        for _ in self._until(timeout, lambda: "a tunnel still has more than one SA pair"):
            rows = self._rows("/v1/ipsec-sa")
            if rows is not None and len({_name(row) for row in rows}) == len(rows):
                return

    def _rows(self, path: str) -> list[dict[str, object]] | None:
        """What the verbs tell, without the price of a process; None while nobody answers."""
        connection = _UnixConnection(self.socket)
        try:
            connection.request("GET", path)
            rows: list[dict[str, object]] = json.loads(connection.getresponse().read())
        except OSError:
            return None
        finally:
            connection.close()
        return rows

    def _until(self, timeout: float, why: Callable[[], str]) -> Iterator[None]:
        """Again and again, until the caller is content; `why` says what was missing when time is over."""
        end = time.monotonic() + timeout
        while True:
            if not self.running:
                raise GatewayFailed(f"{self.name} ended with {self._process.returncode}", self.story())
            yield
            if time.monotonic() > end:
                raise GatewayFailed(f"{self.name}, after {timeout:.0f} s: {why()}", self.story())
            time.sleep(0.05)

    def stop(self, timeout: float = _PATIENCE) -> int:
        """SIGTERM, and its exit status."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise GatewayFailed(f"{self.name} did not end in {timeout:.0f} s", self.story()) from None
        return self._process.returncode

    def kill(self) -> None:
        """SIGKILL: nobody is told, nothing is cleaned up."""
        self._process.kill()
        self._process.wait()

    def remains(self) -> tuple[str, ...]:
        """Links, addresses, routes and rules in the namespace that were not there before this gateway."""
        return tuple(sorted(self._where.fingerprint() - self._untouched))

    def story(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> RunningGateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            if kind is None:
                self.stop()
            else:
                self.kill()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def _name(row: dict[str, object]) -> str:
    return f"{row['tunnel']}:{row['proxy_id']}" if row["proxy_id"] else str(row["tunnel"])
