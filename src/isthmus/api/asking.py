"""POST: what the gateway can be told to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from isthmus.api.daemon import Daemon
from isthmus.api.naming import children_named, gateway_named, tunnel_named
from isthmus.api.refusal import Refused, bad_request
from isthmus.api.trial import ChildGoal, IkeGoal, Outcome, Result, Trial
from isthmus.engine.commands import (
    Apply,
    Command,
    InitiateChild,
    InitiateIke,
    Reauthenticate,
    RekeyChild,
    RekeyIke,
    TerminateChild,
    TerminateIke,
)
from isthmus.engine.views import IkeSaView
from isthmus.model.plan import Plan

MAX_WAIT = 300.0
"""Seconds that a client may wait for an outcome."""

DEFAULT_WAIT = 30.0

MAX_TRIALS = 32
"""Clients that wait for an outcome at once; each hears every event meanwhile."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What is being deleted."""

    kind: Annotated[str, "`ike-sa` or `ipsec-sa`"]
    names: Annotated[list[str], "gateways, or children as `tunnel:proxy-id`, that had an SA"]
    count: Annotated[int, "IKE SAs, or Child SAs"]


@dataclass(frozen=True, slots=True)
class Switched:
    """A tunnel that was enabled or disabled, as long as the gateway runs."""

    tunnel: Annotated[str, "name in `ipsec-tunnels`"]
    enabled: Annotated[bool, "what it is now"]
    changed: Annotated[bool, "false if it was so before"]


class Asking:
    """Turns requests into commands; waits where the answer is worth it."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon: Final = daemon
        self._trials = 0

    def routes(self) -> list[Route]:
        def post(path: str, endpoint: object) -> Route:
            return Route(path, endpoint, methods=["POST"])  # type: ignore[arg-type]

        return [
            post("/v1/test/ike-sa/{name:path}", self.test_ike_sa),
            post("/v1/test/ipsec-sa/{name:path}", self.test_ipsec_sa),
            post("/v1/rekey/ike-sa/{name:path}", self.rekey_ike_sa),
            post("/v1/rekey/ipsec-sa/{name:path}", self.rekey_ipsec_sa),
            post("/v1/reauthenticate/{name:path}", self.reauthenticate),
            post("/v1/clear/ike-sa", self.clear_ike_sa),
            post("/v1/clear/ike-sa/{name:path}", self.clear_ike_sa),
            post("/v1/clear/ipsec-sa", self.clear_ipsec_sa),
            post("/v1/clear/ipsec-sa/{name:path}", self.clear_ipsec_sa),
            post("/v1/enable/{name:path}", self.enable),
            post("/v1/disable/{name:path}", self.disable),
        ]

    async def test_ike_sa(self, request: Request) -> Response:
        goal, wait = IkeGoal(gateway_named(self._plan, request.path_params["name"]).name), _wait(request)
        if ike := self._established(goal.peer):
            text = f"IKE SA with {goal.peer} is up already: {ike.suite}, {ike.local_id} - {ike.remote_id}"
            return _outcomes([goal.outcome(Result.ALREADY_UP, text)])
        return _outcomes([await self._try(goal, InitiateIke(goal.peer), wait)])

    async def test_ipsec_sa(self, request: Request) -> Response:
        goals, wait = self._child_goals(request), _wait(request)
        up = self._up()
        for goal in goals:
            if not self._plan.tunnels[goal.tunnel].enabled:
                raise Refused(409, "disabled", f"{goal.tunnel} is disabled")
        return _outcomes(
            await asyncio.gather(
                *(
                    _already(goal) if goal.child in up else self._try(goal, InitiateChild(goal.child), wait)
                    for goal in goals
                )
            )
        )

    async def rekey_ike_sa(self, request: Request) -> Response:
        goal, wait = IkeGoal(gateway_named(self._plan, request.path_params["name"]).name), _wait(request)
        if self._established(goal.peer) is None:
            raise Refused(409, "not-up", f"there is no IKE SA with {goal.peer} to rekey")
        return _outcomes([await self._try(goal, RekeyIke(goal.peer), wait)])

    async def reauthenticate(self, request: Request) -> Response:
        goal, wait = IkeGoal(gateway_named(self._plan, request.path_params["name"]).name, anew=True), _wait(request)
        if self._established(goal.peer) is None:
            raise Refused(409, "not-up", f"there is no IKE SA with {goal.peer} to replace")
        return _outcomes([await self._try(goal, Reauthenticate(goal.peer), wait)])

    async def rekey_ipsec_sa(self, request: Request) -> Response:
        goals, wait = self._child_goals(request), _wait(request)
        up = self._up()
        present = [goal for goal in goals if goal.child in up]
        if not present:
            raise Refused(409, "not-up", f"{request.path_params['name']} is not up: there is nothing to rekey")
        return _outcomes(await asyncio.gather(*(self._try(g, RekeyChild(g.child), wait) for g in present)))

    async def clear_ike_sa(self, request: Request) -> Response:
        name = request.path_params.get("name")
        wanted = {gateway_named(self._plan, name).name} if name else set(self._plan.peers)
        present = [ike.peer for ike in self._daemon.gateway.ike_sas() if ike.peer is not None and ike.peer in wanted]
        for peer in dict.fromkeys(present):
            self._daemon.command(TerminateIke(peer))
        return _cleared("ike-sa", present)

    async def clear_ipsec_sa(self, request: Request) -> Response:
        name = request.path_params.get("name")
        tunnels = [name] if name else list(self._plan.tunnels)
        wanted = {child.name for tunnel in tunnels for child in children_named(self._plan, tunnel)}
        ike_sas = self._daemon.gateway.ike_sas()
        present = [child.name for ike in ike_sas for child in ike.children if child.name in wanted]
        for child in dict.fromkeys(present):
            self._daemon.command(TerminateChild(child))
        return _cleared("ipsec-sa", present)

    async def enable(self, request: Request) -> Response:
        return self._switch(request.path_params["name"], enabled=True)

    async def disable(self, request: Request) -> Response:
        return self._switch(request.path_params["name"], enabled=False)

    def _switch(self, name: str, *, enabled: bool) -> Response:
        """The running plan with one tunnel switched: the engine touches what that changes, and nothing else."""
        plan = self._plan
        manual = plan.manual.get(name)
        if manual is not None:
            if changed := manual.enabled is not enabled:
                by_hand = {**plan.manual, name: replace(manual, enabled=enabled)}
                self._daemon.command(Apply(replace(plan, manual=by_hand)))
            return JSONResponse(asdict(Switched(name, enabled, changed)))
        tunnel = tunnel_named(plan, name)
        if changed := tunnel.enabled is not enabled:
            switched = replace(tunnel, enabled=enabled)
            self._daemon.command(Apply(replace(plan, tunnels={**plan.tunnels, name: switched})))
        return JSONResponse(asdict(Switched(name, enabled, changed)))

    @property
    def _plan(self) -> Plan:
        return self._daemon.plan

    def _established(self, peer: str) -> IkeSaView | None:
        up = (ike for ike in self._daemon.gateway.ike_sas() if ike.state in ("established", "rekeying"))
        return next((ike for ike in up if ike.peer == peer), None)

    def _up(self) -> set[str]:
        return {tunnel.child for tunnel in self._daemon.gateway.tunnels() if tunnel.state == "up"}

    def _child_goals(self, request: Request) -> list[ChildGoal]:
        children = children_named(self._plan, request.path_params["name"])
        return [ChildGoal(child.name, child.tunnel, self._plan.tunnels[child.tunnel].peer) for child in children]

    async def _try(self, goal: IkeGoal | ChildGoal, command: Command, wait: float) -> Outcome:
        if self._trials >= MAX_TRIALS:
            raise Refused(503, "busy", f"{MAX_TRIALS} clients wait for an outcome already")
        self._trials += 1
        try:
            return await Trial(goal).run(self._daemon, command, wait)
        finally:
            self._trials -= 1


async def _already(goal: ChildGoal) -> Outcome:
    return goal.outcome(Result.ALREADY_UP, f"Child SA {goal.child} is up already")


def _wait(request: Request) -> float:
    text = request.query_params.get("timeout", str(DEFAULT_WAIT))
    if not text.replace(".", "", 1).isdecimal() or not 0 < float(text) <= MAX_WAIT:
        raise bad_request(f"timeout is a number of seconds up to {MAX_WAIT:g}")
    return float(text)


def _outcomes(outcomes: Iterable[Outcome]) -> JSONResponse:
    return JSONResponse([asdict(outcome) for outcome in outcomes])


def _cleared(kind: str, names: list[str]) -> JSONResponse:
    return JSONResponse(asdict(Cleared(kind, list(dict.fromkeys(names)), len(names))))
