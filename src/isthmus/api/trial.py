"""Asking for an SA and waiting for the truth: `test` and `rekey` tell how it ended, not that it was begun."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated

from isthmus.api.daemon import Daemon
from isthmus.engine.commands import Command
from isthmus.events.child import ChildInstalled
from isthmus.events.event import Event
from isthmus.events.ike import FailureReason, IkeEstablished, IkeRekeyed, NegotiationFailed
from isthmus.observe.fields import child_of

REPLIER_ROLES = ("responder", "replier")

_OURS = frozenset(
    {
        FailureReason.NOT_RESOLVED,
        FailureReason.DATA_PLANE_REFUSED,
        FailureReason.DELETED_HERE,
        FailureReason.ONLY_RESPONDS,
        FailureReason.INTERNAL_ERROR,
    }
)
"""The peer has no part in these."""

_TRANSIENT = frozenset({FailureReason.TEMPORARY_FAILURE})
"""RFC 7296, 2.25: the peer asks us to try again, and the engine does."""


class Result(StrEnum):
    UP = "up"
    ALREADY_UP = "already-up"
    REFUSED = "refused"
    TIMED_OUT = "timed-out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a negotiation that was asked for ended."""

    kind: Annotated[str, "`ike-sa` or `ipsec-sa`"]
    name: Annotated[str, "the gateway; the tunnel, or `tunnel:proxy-id`"]
    result: Annotated[str, "`up`, `already-up`, `refused` (no agreement), `timed-out`, or `failed` (the cause is ours)"]
    reason: Annotated[str | None, "machine-readable cause of a failure: `no-proposal-chosen`"]
    text: Annotated[str, "the same in one line"]
    they_said: Annotated[list[str], "the peer's side of a disagreement"]
    we_said: Annotated[list[str], "our side of it"]


@dataclass(frozen=True, slots=True)
class IkeGoal:
    """An IKE SA with a peer; `anew`: one that grew from no other, in which both have proved who they are."""

    peer: str
    anew: bool = False

    def judge(self, event: Event) -> Outcome | None:
        """What the event decides, if it decides."""
        match event:
            case IkeEstablished(peer=self.peer):
                return self.outcome(Result.UP, event.tell())
            case IkeRekeyed(peer=self.peer) if not self.anew:
                return self.outcome(Result.UP, event.tell())
            case NegotiationFailed(peer=self.peer, child=None):
                return _failure(self, event)
            case _:
                return None

    def concerns(self, event: Event) -> bool:
        return event.peer == self.peer

    def outcome(self, result: Result, text: str, reason: FailureReason | None = None) -> Outcome:
        return Outcome("ike-sa", self.peer, result.value, reason.value if reason else None, text, [], [])


@dataclass(frozen=True, slots=True)
class ChildGoal:
    """A Child SA of one configured child, and the IKE SA below it."""

    child: str
    tunnel: str
    peer: str

    def judge(self, event: Event) -> Outcome | None:
        """What the event decides, if it decides."""
        match event:
            case ChildInstalled(child=self.child):
                return self.outcome(Result.UP, event.tell())
            case NegotiationFailed(peer=self.peer, child=None | self.child):
                return _failure(self, event)
            case _:
                return None

    def concerns(self, event: Event) -> bool:
        return event.peer == self.peer and child_of(event) in (None, self.child)

    def outcome(self, result: Result, text: str, reason: FailureReason | None = None) -> Outcome:
        return Outcome("ipsec-sa", self.child, result.value, reason.value if reason else None, text, [], [])


class Trial:
    """One goal, pursued until an event decides it."""

    def __init__(self, goal: IkeGoal | ChildGoal) -> None:
        self.goal = goal
        self._decided: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._last: Event | None = None

    def hear(self, event: Event) -> None:
        if self.goal.concerns(event):
            self._last = event
        outcome = self.goal.judge(event)
        if outcome is not None and not self._decided.done():
            self._decided.set_result(outcome)

    async def run(self, daemon: Daemon, command: Command, timeout: float) -> Outcome:
        """Gives the command, then waits; a goal that is not decided in time is `timed-out`, with what was seen last."""
        unsubscribe: Callable[[], None] = daemon.subscribe(self.hear)
        try:
            daemon.command(command)
            async with asyncio.timeout(timeout):
                return await self._decided
        except TimeoutError:
            seen = f"last: {self._last.tell()}" if self._last else "nothing was heard of it"
            return self.goal.outcome(Result.TIMED_OUT, f"undecided after {timeout:g} s; {seen}")
        finally:
            unsubscribe()


def _failure(goal: IkeGoal | ChildGoal, event: NegotiationFailed) -> Outcome | None:
    """A failure of what *we* began decides; the peer's own attempts are another matter."""
    if event.role in REPLIER_ROLES or event.reason in _TRANSIENT:
        return None
    if event.reason is FailureReason.NO_ANSWER:
        result = Result.TIMED_OUT
    else:
        result = Result.FAILED if event.reason in _OURS else Result.REFUSED
    text = f"{event.tell()} ({event.detail})" if event.detail else event.tell()
    outcome = goal.outcome(result, text, event.reason)
    return replace(outcome, they_said=list(event.they_said), we_said=list(event.we_said))
