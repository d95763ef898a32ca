"""Numbered datagrams in both directions at a steady pace, and an exact account of what became of each."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from isthmus.lab.namespaces import Namespace
from tests.interop.bench import LEFT_LANS, RIGHT_LANS, Bench

RATE = float(os.environ.get("ISTHMUS_STREAM_RATE", "2000"))
"""Packets a second, each way."""

_END = Path(__file__).with_name("stream_end.py")


@dataclass(frozen=True)
class Account:
    """One direction."""

    sent_at: array[float]
    """By number."""
    numbers: array[int]
    """As they arrived."""
    arrived_at: array[float]

    @property
    def lost(self) -> list[int]:
        arrived = set(self.numbers)
        return [number for number in range(len(self.sent_at)) if number not in arrived]

    @property
    def twice(self) -> int:
        return sum(times - 1 for times in Counter(self.numbers).values())

    @property
    def rate(self) -> float:
        return (len(self.sent_at) - 1) / (self.sent_at[-1] - self.sent_at[0]) if len(self.sent_at) > 1 else 0.0

    @property
    def outage(self) -> float:
        """The longest time in which nothing arrived, from the first packet to the last that was sent."""
        if not self.sent_at:
            return 0.0
        times = [self.sent_at[0], *sorted(self.arrived_at), self.sent_at[-1]]
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    def back_after(self, moment: float) -> float:
        """How long after a moment the first arrived of those behind the last loss; infinite if none did, 0: no loss."""
        late = [number for number in self.lost if self.sent_at[number] >= moment]
        if not late:
            return 0.0
        back = (at for number, at in zip(self.numbers, self.arrived_at, strict=True) if number > late[-1])
        return next(back, float("inf")) - moment

    def __str__(self) -> str:
        lost = self.lost
        where = ", ".join(f"{last - first + 1} from {self.sent_at[first]:.3f}" for first, last in _runs(lost))
        return (
            f"{len(self.sent_at)} sent at {self.rate:.0f}/s, {len(lost)} lost{f' ({where[:400]})' if lost else ''}, "
            f"{self.twice} twice, longest pause {self.outage * 1000:.0f} ms"
        )


@dataclass(frozen=True)
class Accounts:
    """Both directions of one stream."""

    rightward: Account
    leftward: Account

    @property
    def lost(self) -> tuple[int, int]:
        return len(self.rightward.lost), len(self.leftward.lost)

    def back_after(self, moment: float) -> float:
        """When both directions carried again."""
        return max(self.rightward.back_after(moment), self.leftward.back_after(moment))

    def __str__(self) -> str:
        return f"to the right: {self.rightward}\nto the left:  {self.leftward}"


class Stream:
    """A process at each end; `rates` are those of the left and of the right end."""

    def __init__(
        self, left: tuple[Namespace, str], right: tuple[Namespace, str], home: Path, rates: tuple[float, float]
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._files = home / "left.stream", home / "right.stream"
        self._ends: list[subprocess.Popen[bytes]] = []
        ways = ((left, right), (right, left))
        for ((here, source), (_, destination)), file, rate in zip(ways, self._files, rates, strict=True):
            argv: list[str | Path] = [sys.executable, "-I", _END, source, destination, str(rate), file]
            self._ends.append(here.start(argv, output=subprocess.PIPE))
        # Both can receive before either sends.
        for end in self._ends:
            said = end.stdout.readline() if end.stdout else b""
            if said != b"ready\n":
                self.__exit__()
                raise AssertionError(f"an end of the stream says {said!r}")
        for end in self._ends:
            end.send_signal(signal.SIGUSR1)

    @classmethod
    def over(cls, bench: Bench, home: Path, *, lan: int = 0, rates: tuple[float, float] = (RATE, RATE)) -> Self:
        """Between the hosts of the bench."""
        left, right = str(LEFT_LANS[lan][2]), str(RIGHT_LANS[lan][2])
        return cls((bench.left_host, left), (bench.right_host, right), home, rates)

    def stop(self) -> Accounts:
        """Ends the sending on both sides at once, and waits for what is under way."""
        for end in self._ends:
            end.send_signal(signal.SIGTERM)
        for end in self._ends:
            said, _ = end.communicate(timeout=30)
            if end.returncode != 0:
                raise AssertionError(f"an end of the stream failed: {said.decode()}")
        (left_sent, *left_received), (right_sent, *right_received) = map(_read, self._files)
        return Accounts(_account(left_sent, *right_received), _account(right_sent, *left_received))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._ends:
            if end.poll() is None:
                end.kill()
                end.wait()
            if end.stdout:
                end.stdout.close()


def _account(sent: array[float], numbers: array[float], arrived_at: array[float]) -> Account:
    return Account(sent, array("Q", (int(number) for number in numbers)), arrived_at)


def _read(path: Path) -> tuple[array[float], array[float], array[float]]:
    values = array("d", path.read_bytes())
    found = []
    while values:
        count = int(values[0])
        found.append(values[1 : count + 1])
        values = values[count + 1 :]
    sent, numbers, arrived = found
    return sent, numbers, arrived


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of each unbroken run."""
    first = None
    for at, number in enumerate(numbers):
        if first is None:
            first = number
        if at + 1 == len(numbers) or numbers[at + 1] != number + 1:
            yield first, number
            first = None
