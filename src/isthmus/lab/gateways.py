"""Real gateway processes, one for each site, steered as an operator steers them: by the command line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from isthmus.lab.namespaces import Namespace

_PATIENCE = 60.0
"""Seconds: a busy machine takes several to start a process."""

_ISTHMUS = (sys.executable, "-m", "isthmus")


class GatewayFailed(Exception):
    """A gateway process did not do what it must. `why` carries the end of its log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
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
        end = time.monotonic() + timeout
        while not self.socket.exists() or self.ask("status", "--json").status != 0:
            if not self.running:
                raise GatewayFailed(f"{self.name} ended with {self._process.returncode}:\n{self.story()}")
            if time.monotonic() > end:
                raise GatewayFailed(f"{self.name} does not answer after {timeout:.0f} s:\n{self.story()}")
            time.sleep(0.05)

    def await_tunnels(self, timeout: float = _PATIENCE) -> float:
        """Waits until every enabled tunnel is up; how long that took."""
        began = time.monotonic()
        down: list[str] = []
        while time.monotonic() - began < timeout:
            if not self.running:
                raise GatewayFailed(f"{self.name} ended with {self._process.returncode}:\n{self.story()}")
            if self.socket.exists():
                rows = [row for row in self.table("show", "tunnels") if row["state"] != "disabled"]
                down = [f"{_name(row)} is {row['state']}: {row['reason'] or 'no reason yet'}" for row in rows]
                if all(row["state"] == "up" for row in rows):
                    return time.monotonic() - began
            time.sleep(0.05)
        why = "; ".join(down) or "it does not answer"
        raise GatewayFailed(f"{self.name}, after {timeout:.0f} s: {why}\n{self.story()}")

    def stop(self, timeout: float = _PATIENCE) -> int:
        """SIGTERM, and its exit status."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise GatewayFailed(f"{self.name} did not end in {timeout:.0f} s:\n{self.story()}") from None
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


def _name(row: dict[str, object]) -> str:
    return f"{row['tunnel']}:{row['proxy_id']}" if row["proxy_id"] else str(row["tunnel"])
