"""How the API says no: always JSON, a code for programs and a text for people."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse


class Refused(Exception):
    """The request cannot be served as it stands."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text

    def response(self) -> JSONResponse:
        return JSONResponse({"code": self.code, "text": self.text}, self.status)


def not_found(kind: str, name: str, known: Iterable[str]) -> Refused:
    """No such thing is configured; near names are suggested."""
    near = get_close_matches(name, list(known), n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return Refused(404, "not-found", f"no {kind} is named {name}{hint}")


def bad_request(text: str) -> Refused:
    return Refused(400, "bad-request", text)


async def refused(_request: Request, refusal: Exception) -> JSONResponse:
    """Exception handler for `Refused`."""
    if not isinstance(refusal, Refused):
        raise refusal
    return refusal.response()


async def not_served(_request: Request, error: Exception) -> JSONResponse:
    """Exception handler for what Starlette itself refuses: paths and methods that do not exist."""
    if not isinstance(error, HTTPException):
        raise error
    code = {404: "no-such-path", 405: "method-not-allowed"}.get(error.status_code, "bad-request")
    return JSONResponse({"code": code, "text": error.detail}, error.status_code)


async def at_fault(_request: Request, _fault: Exception) -> JSONResponse:
    """Exception handler for a bug of ours: the client learns nothing of it."""
    return Refused(500, "internal-error", "internal error").response()
