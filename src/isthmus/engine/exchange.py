"""Exchanges as data: legs (who speaks, which payloads, sealed or not) and steps (one concern each); and who runs them.

Nothing here knows an IKE version. A `Run` is one exchange under way: it checks the payloads of each leg it hears,
then calls its steps in order; each reads what concerns it, or writes what it adds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Generic, TypeVar

from isthmus.engine.refusal import Refusal, malformed
from isthmus.model.address import Endpoint
from isthmus.model.registry import Open
from isthmus.wire.ikev2.payloads import Notify, UnknownPayload
from isthmus.wire.registry import NotifyType, PayloadType

C = TypeVar("C")
P = TypeVar("P", bound=Any)


class Speaker(Enum):
    REQUESTER = auto()
    REPLIER = auto()


@dataclass(frozen=True, slots=True)
class Leg:
    """One message of an exchange. Notify and Vendor ID may always stand in it; what is neither needed nor known to a
    step is ignored (RFC 7296, 2.5)."""

    speaker: Speaker
    needs: frozenset[Open] = frozenset()
    """Payload types, of the version that the exchange belongs to."""
    sealed: bool = True


class Draft:
    """A message being written."""

    def __init__(self) -> None:
        self.payloads: list[Any] = []
        """Of either version: the steps and the codec know which."""

    def add(self, *payloads: Any) -> None:
        self.payloads.extend(payloads)

    def notify(self, notify: NotifyType, data: bytes = b"") -> None:
        self.payloads.append(Notify(notify, data))


class Inbound:
    """The payloads of a message being read."""

    def __init__(
        self,
        payloads: Sequence[Any],
        octets: bytes = b"",
        first: PayloadType = PayloadType.NONE,
        outer: bytes = b"",
    ) -> None:
        self.payloads = payloads
        self.octets = octets
        """As received: the decrypted payloads, or the whole of an unsealed message. Authentication is over these."""
        self.first = first
        self.outer = outer
        """As received: what stood before the Encrypted payload."""
        self.path: tuple[Endpoint, Endpoint] | None = None
        """Local and remote endpoint of the datagram that it came in."""
        self._of: dict[type[Any], list[Any]] = {}
        """Every step asks for its own: they are sorted once, by their very class."""
        for payload in payloads:
            self._of.setdefault(type(payload), []).append(payload)
        self._notified = {notify.notify: notify for notify in reversed(self._of.get(Notify, ()))}

    def one(self, kind: type[P]) -> P | None:
        """The payload of a kind; more than one of it is malformed."""
        found = self._of.get(kind)
        if found is None:
            return None
        if len(found) > 1:
            raise malformed(f"{len(found)} payloads {kind.__name__} where one may stand")
        only: P = found[0]
        return only

    def need(self, kind: type[P]) -> P:
        found = self.one(kind)
        if found is None:
            raise malformed(f"no payload {kind.__name__}")
        return found

    def all(self, kind: type[P]) -> Sequence[P]:
        return self._of.get(kind, ())

    def notify(self, notify: NotifyType) -> Notify | None:
        """The first notification of a type."""
        return self._notified.get(notify)

    def notifies(self) -> Sequence[Notify]:
        return self._of.get(Notify, ())

    def error(self) -> Notify | None:
        """The first notification that reports an error (type below 16384)."""
        return next((n for n in self.notifies() if n.notify.error), None)

    @property
    def types(self) -> frozenset[Open]:
        return frozenset(p.type for p in self.payloads)


class Step(Generic[C]):
    """One concern within an exchange. Legs are counted from 0; a step passes over those that do not concern it."""

    def __init__(self, context: C) -> None:
        self.context = context

    def write(self, leg: int, draft: Draft) -> None:
        """Adds what this step has to say to a message of ours."""

    def read(self, leg: int, message: Inbound) -> None:
        """Learns from a message of the peer. Raises `Refusal`."""


@dataclass(frozen=True, slots=True)
class Exchange(Generic[C]):
    """A kind of exchange: a row that the documentation prints and the runner follows."""

    name: str
    exchange_type: Any
    """The number on the wire, of the version that it belongs to."""
    legs: tuple[Leg, ...]
    steps: tuple[type[Step[C]], ...]
    speaking: tuple[int, ...] = field(init=False, repr=False, compare=False)
    hearing: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """Which of the steps ever write, and which ever read."""

    def __post_init__(self) -> None:
        for name, method in (("speaking", "write"), ("hearing", "read")):
            own = (n for n, step in enumerate(self.steps) if getattr(step, method) is not getattr(Step, method))
            object.__setattr__(self, name, tuple(own))


class Run(Generic[C]):
    """One exchange under way."""

    def __init__(self, exchange: Exchange[C], context: C) -> None:
        self.exchange = exchange
        self.steps = tuple([step(context) for step in exchange.steps])

    def speak(self, leg: int) -> list[Any]:
        """The payloads of our message."""
        draft = Draft()
        for index in self.exchange.speaking:
            self.steps[index].write(leg, draft)
        return draft.payloads

    def hear(self, leg: int, message: Inbound) -> None:
        """Takes in the peer's message, or raises `Refusal`."""
        refuse_unknown_critical(message.all(UnknownPayload))
        missing = self.exchange.legs[leg].needs - message.types
        if missing:
            names = ", ".join(sorted(kind.name for kind in missing))
            raise malformed(f"{self.exchange.name} without {names}")
        for index in self.exchange.hearing:
            self.steps[index].read(leg, message)


def refuse_unknown_critical(payloads: Iterable[Any]) -> None:
    """RFC 7296, 2.5: a payload that is unknown and critical spoils the whole message."""
    for payload in payloads:
        if isinstance(payload, UnknownPayload) and payload.critical:
            raise Refusal(
                NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD,
                bytes([payload.kind]),
                detail=f"payload type {int(payload.kind)} is critical and unknown",
            )
