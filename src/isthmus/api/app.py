"""The ASGI application."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from isthmus.api.asking import Asking
from isthmus.api.daemon import Daemon
from isthmus.api.limits import Limits
from isthmus.api.reading import Reading
from isthmus.api.refusal import Refused, at_fault, not_served, refused
from isthmus.events.event import Event
from isthmus.model.quantities import Instant
from isthmus.observe.metrics import Metrics
from isthmus.observe.traffic import TrafficTotals
from isthmus.status.moment import Moment


def present() -> Moment:
    """Now, on the clock that the gateway process gives to the engine."""
    return Moment(Instant(time.monotonic()), time.time())


def create_app(
    daemon: Daemon,
    traffic: TrafficTotals,
    on_fault: Callable[[Exception], None],
    moment: Callable[[], Moment] = present,
    *,
    missed: Iterable[Event] = (),
) -> ASGIApp:
    """The API of a gateway; `missed` is what happened before, so that the metrics miss no event."""
    metrics = Metrics(daemon, traffic, lambda instant: moment().wall_of(instant))
    for event in missed:
        metrics.record(event)
    daemon.subscribe(metrics.record)
    app = Starlette(
        routes=[*Reading(daemon, metrics, moment).routes(), *Asking(daemon).routes()],
        exception_handlers={Refused: refused, HTTPException: not_served, Exception: at_fault},
    )
    return Limits(app, on_fault)
