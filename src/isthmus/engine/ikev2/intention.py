"""What one end wants of the other, one request each; and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

from isthmus.engine import retry
from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.refusal import Refusal
from isthmus.model.quantities import Seconds
from isthmus.wire.ikev2.payloads import Notify


class Intention(ABC):
    """Queued until the window is free. It is asked again then whether it still makes sense."""

    @property
    def longest_wait(self) -> Seconds:
        """Between two tries."""
        return retry.LONGEST_REPEAT

    @property
    def purpose(self) -> Intention:
        """What it belongs to: itself, unless it carries another one on."""
        return self

    @property
    def tries(self) -> int:
        """How often the request is sent at most."""
        return retry.MAX_ATTEMPTS

    @abstractmethod
    def begin(self) -> Run[Any] | None:
        """The exchange to run, or None if there is nothing to do any more."""

    def sent(self, datagrams: tuple[bytes, ...]) -> None:  # noqa: B027 - most need not know
        """The request, as it leaves for the first time."""

    @abstractmethod
    def succeeded(self, message: Inbound) -> None:
        """The response was heard by every step."""

    @abstractmethod
    def refused(self, notify: Notify) -> None:
        """The peer said no, under the protection of the IKE SA (or before there is any: IKE_SA_INIT)."""

    @abstractmethod
    def rejected(self, refusal: Refusal) -> None:
        """We cannot accept the peer's response."""

    @abstractmethod
    def silent(self, attempts: int) -> None:
        """No response came to any of so many tries: the IKE SA is gone."""


class Answer(Protocol):
    """Our side of an exchange that the peer requested."""

    def begin(self) -> Run[Any]:
        """The exchange. Raises `Refusal` where none is possible."""
        ...

    def agreed(self, response: tuple[bytes, ...]) -> None:
        """Our response is written and about to leave: what it promises must stand now (inbound SAs installed)."""
        ...

    def refused(self, refusal: Refusal) -> None:
        """Our refusal was sent instead."""
        ...
