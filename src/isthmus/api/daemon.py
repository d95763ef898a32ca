"""What the API needs of the running gateway. `runtime.daemon` fits it; tests fit fakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from isthmus.engine.commands import Command
from isthmus.events.event import Event
from isthmus.observe.journal import Journal
from isthmus.observe.watched import Watched


class Daemon(Watched, Protocol):
    """What can be read of it, what it remembers, and what it can be told."""

    @property
    def journal(self) -> Journal: ...

    def command(self, command: Command) -> None:
        """Hands it to the engine and carries out what follows."""
        ...

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Calls the listener with each event as it happens; returns what ends that."""
        ...
