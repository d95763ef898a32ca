"""A gateway of the simulation with what the calls into it took: processor time, and steps, which depend on no load."""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType, ModuleType

from isthmus.engine.commands import Command
from isthmus.engine.gateway import Gateway
from isthmus.engine.outputs import Output
from isthmus.engine.surroundings import Surroundings
from isthmus.engine.views import ChildView, IkeSaView, TunnelView
from isthmus.events.message import MessageExchanged
from isthmus.model.address import Datagram
from isthmus.model.plan import Plan
from isthmus.model.quantities import Instant


@dataclass(slots=True)
class Meter:
    """Of each entrance of a gateway: `receive`, `handle_timer`, `command`."""

    stride: int
    """Of so many calls one has its steps counted, and the others their time taken: counting takes time itself."""
    calls: Counter[str] = field(default_factory=Counter)
    timed: Counter[str] = field(default_factory=Counter)
    nanoseconds: Counter[str] = field(default_factory=Counter)
    """Of those that were timed."""
    counted: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    """Calls of Python functions, in those that were counted."""

    def enter(self, name: str, work: Callable[[], None]) -> None:
        self.calls[name] += 1
        if self.calls[name] % self.stride == 0:
            self.counted[name] += 1
            self.steps[name] += steps(work)
            return
        began = time.thread_time_ns()
        work()
        self.nanoseconds[name] += time.thread_time_ns() - began
        self.timed[name] += 1

    @property
    def seconds(self) -> float:
        """Processor time; what was not timed took as long as the rest did on average."""
        each = (self.nanoseconds[name] / max(self.timed[name], 1) * calls for name, calls in self.calls.items())
        return sum(each) / 1e9

    @property
    def all_steps(self) -> float:
        """In all; what was not counted took as many as the rest did on average."""
        return sum(self.steps_of(name) * calls for name, calls in self.calls.items())

    def steps_of(self, name: str) -> float:
        """For one call, on average."""
        return self.steps[name] / max(self.counted[name], 1)


class Metered:
    """The `Brain` of a site. What is said of single messages is left out: in an hour of a thousand tunnels it would be
    a gigabyte."""

    def __init__(self, plan: Plan, surroundings: Surroundings, meter: Callable[[], Meter] | None) -> None:
        self.gateway = Gateway(plan, surroundings)
        self._meter = meter
        """Which one is running."""
        self._outputs: deque[Output] = deque()
        self._due = self.gateway.next_timer()

    @property
    def idle(self) -> bool:
        return self.gateway.idle

    @property
    def plan(self) -> Plan:
        return self.gateway.plan

    def receive(self, datagram: Datagram, now: Instant) -> None:
        self._enter("receive", lambda: self.gateway.receive(datagram, now))

    def command(self, command: Command, now: Instant) -> None:
        self._enter("command", lambda: self.gateway.command(command, now))

    def handle_timer(self, now: Instant) -> None:
        self._enter("handle_timer", lambda: self.gateway.handle_timer(now))

    def next_timer(self) -> Instant | None:
        return self._due

    def poll(self) -> Output | None:
        return self._outputs.popleft() if self._outputs else None

    def ike_sas(self) -> tuple[IkeSaView, ...]:
        return self.gateway.ike_sas()

    def child_sas(self) -> tuple[ChildView, ...]:
        return self.gateway.child_sas()

    def tunnels(self) -> tuple[TunnelView, ...]:
        return self.gateway.tunnels()

    def _enter(self, name: str, entrance: Callable[[], None]) -> None:
        said: list[Output] = []

        def work() -> None:
            entrance()
            said.extend(iter(self.gateway.poll, None))
            self._due = self.gateway.next_timer()

        if self._meter is None:
            work()
        else:
            self._meter().enter(name, work)
        self._outputs.extend(output for output in said if not isinstance(output, MessageExchanged))


def steps(work: Callable[[], object]) -> int:
    """How many calls of Python functions it takes, comprehensions among them."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def octets_of(root: object, *besides: object) -> int:
    """Of all that is reached from it and from none of the others: Python's objects, without what libraries hold."""
    seen = {id(vars(module)) for module in list(sys.modules.values())}
    for other in besides:
        _weigh(other, seen)
    return _weigh(root, seen)


def _weigh(root: object, seen: set[int]) -> int:
    octets, ahead = 0, [root]
    while ahead:
        one = ahead.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType):
            continue
        seen.add(id(one))
        octets += sys.getsizeof(one)
        ahead += gc.get_referents(one)
    return octets
