"""Exit statuses, the same for every verb."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_RUNNING = 3
    NOT_FOUND = 4
    CONFIGURATION_INVALID = 5
    NO_PERMISSION = 6
    TIMED_OUT = 7
    PEER_REFUSED = 8


class Failure(Exception):
    """Ends the verb: the text goes to stderr, the status to the shell."""

    def __init__(self, status: ExitStatus, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
