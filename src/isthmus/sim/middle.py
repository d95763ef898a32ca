"""What stands in the middle: hooks that pick messages by what they are, and drop, hold back or change them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from isthmus.dataplane.memory import EspPacket
from isthmus.model.quantities import Seconds
from isthmus.sim.network import Drop, Frame, Network, Pass, Verdict
from isthmus.sim.reading import header_of
from isthmus.sim.site import Site
from isthmus.wire.registry import ExchangeType

Predicate: TypeAlias = Callable[[Frame], bool]


def message(exchange: ExchangeType, *, source: Site | None = None, response: bool | None = None) -> Predicate:
    """IKE messages of one exchange: its requests, its responses, or both."""

    def holds(frame: Frame) -> bool:
        header = header_of(frame)
        return (
            header is not None
            and header.exchange == exchange
            and response in (None, header.response)
            and (source is None or frame.source.address == source.address)
        )

    return holds


def any_ike(frame: Frame) -> bool:
    """Every IKE message."""
    return header_of(frame) is not None


def any_esp(frame: Frame) -> bool:
    """Every protected packet."""
    return isinstance(frame.body, EspPacket)


class _Middle(ABC):
    """A hook that acts on the first `times` frames that it picks, and counts them."""

    def __init__(self, network: Network, picks: Predicate, times: int | None, skip: int = 0) -> None:
        self.acted = 0
        self._picks = picks
        self._times = times
        self._skip = skip
        network.hooks.append(self)

    def __call__(self, frame: Frame) -> Verdict | None:
        if not self._picks(frame) or self.acted == self._times:
            return None
        if self._skip:
            self._skip -= 1
            return None
        self.acted += 1
        return self.act(frame)

    @abstractmethod
    def act(self, frame: Frame) -> Verdict | None: ...


class Lose(_Middle):
    """The picked frames vanish. `Lose(network, picks, skip=n)` loses from the one after the n-th on."""

    def __init__(self, network: Network, picks: Predicate, times: int | None = 1, skip: int = 0) -> None:
        super().__init__(network, picks, times, skip)

    def act(self, frame: Frame) -> Verdict | None:
        return Drop()


class Delay(_Middle):
    """The picked frames come later."""

    def __init__(self, network: Network, picks: Predicate, by: Seconds, times: int | None = 1, skip: int = 0) -> None:
        super().__init__(network, picks, times, skip)
        self._by = by

    def act(self, frame: Frame) -> Verdict | None:
        return Pass(frame, self._by)


class Hold(_Middle):
    """The picked frames wait until they are let go: the way to make two exchanges cross exactly."""

    def __init__(self, network: Network, picks: Predicate, times: int | None = None) -> None:
        super().__init__(network, picks, times)
        self.held: list[Frame] = []
        self._network = network
        self._open = False

    def act(self, frame: Frame) -> Verdict | None:
        if self._open:
            return None
        self.held.append(frame)
        return Drop()

    def release(self, *, discard: bool = False) -> None:
        """Lets go of what was held, in order, and holds nothing any more."""
        self._open = True
        frames, self.held = self.held, []
        for frame in () if discard else frames:
            self._network.deliver(frame, Seconds(0.001))


class Tamper(_Middle):
    """The octets of the picked frames are changed."""

    def __init__(
        self,
        network: Network,
        picks: Predicate,
        change: Callable[[bytes], bytes],
        times: int | None = 1,
        skip: int = 0,
    ) -> None:
        super().__init__(network, picks, times, skip)
        self._change = change

    def act(self, frame: Frame) -> Verdict | None:
        if not isinstance(frame.body, bytes):
            return None
        return Pass(replace(frame, body=self._change(frame.body)))


class Observe(_Middle):
    """Counts the picked frames and remembers them."""

    def __init__(self, network: Network, picks: Predicate) -> None:
        super().__init__(network, picks, None)
        self.frames: list[Frame] = []

    def act(self, frame: Frame) -> Verdict | None:
        self.frames.append(frame)
        return None
