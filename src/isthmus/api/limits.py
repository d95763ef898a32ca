"""What a client may cost us."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from isthmus.api.refusal import Refused

MAX_BODY = 1024
"""Octets. No request needs a body: everything is said in the path and the query."""

MAX_TARGET = 2048
"""Octets of path and query: three names of 63 characters, escaped, and the filters of `events`."""


class Limits:
    """Refuses what is too large before anything looks at it, and reports faults that the client is not told of."""

    def __init__(self, app: ASGIApp, on_fault: Callable[[Exception], None]) -> None:
        self._app = app
        self._on_fault = on_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = _too_large(scope)
        if refusal is not None:
            await refusal.response()(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception as fault:
            # The application has answered already, with nothing but the word.
            self._on_fault(fault)


def _too_large(scope: Scope) -> Refused | None:
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal() or int(length) > MAX_BODY:
        return Refused(413, "too-large", f"a request has at most {MAX_BODY} octets of body, and says how many")
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET:
        return Refused(414, "too-large", f"path and query have at most {MAX_TARGET} octets")
    return None
