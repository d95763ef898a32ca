"""GET: the state of the gateway, as rows of `isthmus.status`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import isthmus
from isthmus.api.daemon import Daemon
from isthmus.api.naming import children_named, gateway_named
from isthmus.api.refusal import bad_request
from isthmus.events.event import Severity
from isthmus.observe.fields import child_of, particulars
from isthmus.observe.journal import Entry, Query
from isthmus.observe.log import timestamp
from isthmus.observe.metrics import Metrics
from isthmus.status.moment import Moment
from isthmus.status.rows import EventRow, Overview
from isthmus.status.snapshot import gateway_rows, ike_sa_row, ipsec_sa_row, tunnel_row

MAX_EVENTS = 2000
TROUBLE_SHOWN = 5
TROUBLE_SOUGHT = 500
"""Events that are looked through for it."""

MAX_DIGITS = 20
"""Of a number in a query."""


class Reading:
    """Answers from the daemon's present state. Nothing is cached, nothing waits."""

    def __init__(self, daemon: Daemon, metrics: Metrics, moment: Callable[[], Moment]) -> None:
        self._daemon: Final = daemon
        self._metrics: Final = metrics
        self._moment: Final = moment
        self._started: Final = moment()

    def routes(self) -> list[Route]:
        return [
            Route("/v1/status", self.status),
            Route("/v1/ike-sa", self.ike_sa),
            Route("/v1/ipsec-sa", self.ipsec_sa),
            Route("/v1/tunnels", self.tunnels),
            Route("/v1/gateways", self.gateways),
            Route("/v1/events", self.events),
            Route("/metrics", self.metrics),
        ]

    async def status(self, _request: Request) -> Response:
        ike_sas, tunnels, plan = self._daemon.gateway.ike_sas(), self._daemon.gateway.tunnels(), self._daemon.plan
        moment = self._moment()
        gateways = gateway_rows(plan, ike_sas)
        overview = Overview(
            version=isthmus.__version__,
            started_at=moment.iso(self._started.now),
            uptime=round(moment.now - self._started.now),
            gateways_established=sum(row.state in ("established", "rekeying") for row in gateways),
            gateways_configured=len(gateways),
            tunnels_up=sum(tunnel.state == "up" for tunnel in tunnels),
            tunnels_configured=len(tunnels),
            half_open=self._daemon.gateway.half_open,
            gateways=gateways,
            tunnels=[tunnel_row(tunnel, plan) for tunnel in tunnels],
            trouble=self._trouble(),
        )
        return JSONResponse(asdict(overview))

    def _trouble(self) -> list[EventRow]:
        """A peer that is tried again and again says the same each time: its last word is enough."""
        entries = self._daemon.journal.entries(Query(severity=Severity.WARNING, limit=TROUBLE_SOUGHT))
        last = {row.text: row for row in map(event_row, entries)}
        return sorted(last.values(), key=lambda row: row.number)[-TROUBLE_SHOWN:]

    async def ike_sa(self, request: Request) -> Response:
        wanted, moment = self._gateway(request), self._moment()
        ike_sas = self._daemon.gateway.ike_sas()
        return _rows([ike_sa_row(ike, moment) for ike in ike_sas if wanted in (None, ike.peer)])

    async def ipsec_sa(self, request: Request) -> Response:
        wanted, moment, counters = self._children(request), self._moment(), self._daemon.plane.counters
        children = self._daemon.gateway.child_sas()
        return _rows([ipsec_sa_row(c, counters, moment) for c in children if wanted is None or c.name in wanted])

    async def tunnels(self, request: Request) -> Response:
        wanted, plan = self._children(request), self._daemon.plan
        tunnels = self._daemon.gateway.tunnels()
        return _rows([tunnel_row(t, plan) for t in tunnels if wanted is None or t.child in wanted])

    async def gateways(self, request: Request) -> Response:
        wanted = self._gateway(request)
        rows = gateway_rows(self._daemon.plan, self._daemon.gateway.ike_sas())
        return _rows([row for row in rows if wanted in (None, row.gateway)])

    async def events(self, request: Request) -> Response:
        entries = self._daemon.journal.entries(_query(request))
        return _rows([event_row(entry) for entry in entries])

    async def metrics(self, request: Request) -> Response:
        text, content_type = self._metrics.exposition(request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type})

    def _gateway(self, request: Request) -> str | None:
        name = request.query_params.get("gateway")
        return None if name is None else gateway_named(self._daemon.plan, name).name

    def _children(self, request: Request) -> set[str] | None:
        name, plan = request.query_params.get("tunnel"), self._daemon.plan
        if name is None or name in plan.manual:
            return None if name is None else {name}
        return {child.name for child in children_named(plan, name)}


def event_row(entry: Entry) -> EventRow:
    event = entry.event
    return EventRow(
        number=entry.number,
        at=timestamp(entry.wall),
        severity=event.severity.value,
        code=event.code,
        gateway=event.peer,
        ike=event.ike,
        child=child_of(event),
        text=event.tell(),
        fields=dict(particulars(event)),
    )


def _rows(rows: Sequence[Any]) -> JSONResponse:
    return JSONResponse([asdict(row) for row in rows])


def _query(request: Request) -> Query:
    """The filters of `events`. Names are taken as they are: a peer that is configured no more still has events."""
    given = request.query_params
    severity = given.get("severity", Severity.DEBUG.value)
    if severity not in list(Severity):
        raise bad_request(f"severity is one of {', '.join(Severity)}")
    limit = _count(given.get("limit", "100"), "limit")
    if not 1 <= limit <= MAX_EVENTS:
        raise bad_request(f"limit is 1 to {MAX_EVENTS}")
    return Query(
        peer=given.get("gateway"),
        child=given.get("tunnel"),
        ike=given.get("ike"),
        code=given.get("code"),
        severity=Severity(severity),
        since=_time(given["since"]) if "since" in given else None,
        after=_count(given.get("after", "0"), "after"),
        limit=limit,
    )


def _count(text: str, name: str) -> int:
    if not text.isdecimal() or len(text) > MAX_DIGITS:
        raise bad_request(f"{name} is a whole number")
    return int(text)


def _time(text: str) -> float:
    if not text.replace(".", "", 1).isdecimal() or len(text) > MAX_DIGITS:
        raise bad_request("since is a number of seconds since the epoch")
    return float(text)
