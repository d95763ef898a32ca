"""The API's client: HTTP over the UNIX socket, errors turned into exit statuses."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from isthmus.cli.exit import ExitStatus, Failure

ANSWER_WAIT = 10.0
"""Seconds for an answer that needs no negotiation."""

_STATUS = {
    400: ExitStatus.USAGE,
    404: ExitStatus.NOT_FOUND,
    504: ExitStatus.TIMED_OUT,
}


class Client:
    """One request, one connection."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, path: str, **query: str | float | None) -> list[dict[str, Any]]:
        """GET of a list."""
        answer = self._ask("GET", path, query, ANSWER_WAIT)
        if not isinstance(answer, list):
            raise Failure(ExitStatus.FAILED, f"{self._path}: unexpected answer to {path}")
        return answer

    def record(self, path: str, **query: str | float | None) -> dict[str, Any]:
        """GET of one object."""
        answer = self._ask("GET", path, query, ANSWER_WAIT)
        if not isinstance(answer, dict):
            raise Failure(ExitStatus.FAILED, f"{self._path}: unexpected answer to {path}")
        return answer

    def order(self, *words: str, wait: float | None = None) -> Any:
        """POST of a verb and what it is about; `wait` is how long the gateway may take to find out how it ended."""
        path = "/".join(("/v1", *(quote(word, safe="") for word in words)))
        return self._ask("POST", path, {"timeout": wait}, ANSWER_WAIT + (wait or 0.0))

    def _ask(self, method: str, path: str, query: dict[str, Any], wait: float) -> Any:
        given = {key: value for key, value in query.items() if value is not None}
        target = f"{path}?{urlencode(given)}" if given else path
        connection = _Connection(self._path, wait)
        try:
            connection.request(method, target, headers={"Accept": "application/json"})
            response = connection.getresponse()
            status, body = response.status, response.read()
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            raise Failure(ExitStatus.NOT_RUNNING, f"not running: nothing answers at {self._path}") from None
        except PermissionError:
            raise Failure(ExitStatus.NO_PERMISSION, f"no permission to open {self._path}") from None
        except TimeoutError:
            raise Failure(ExitStatus.TIMED_OUT, f"no answer from {self._path} in {wait:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise Failure(ExitStatus.NOT_RUNNING, f"{self._path}: {error or type(error).__name__}") from None
        finally:
            connection.close()
        return _decoded(status, body)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, wait: float) -> None:
        super().__init__("localhost", timeout=wait)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _decoded(status: int, body: bytes) -> Any:
    try:
        answer = json.loads(body)
    except ValueError:
        raise Failure(ExitStatus.FAILED, f"HTTP status {status}, and no JSON") from None
    if status < 400:
        return answer
    text = answer.get("text") if isinstance(answer, dict) else None
    raise Failure(_STATUS.get(status, ExitStatus.FAILED), str(text or f"HTTP status {status}"))
