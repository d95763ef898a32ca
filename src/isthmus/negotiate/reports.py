"""What a decision came to, with everything that an operator needs to understand it."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.model.proposal import Proposal, Suite
from isthmus.model.selectors import TrafficSelector


@dataclass(frozen=True, slots=True)
class Chosen:
    """A proposal both sides can live with: one transform of each type, with the offer's number and SPI."""

    proposal: Proposal
    suite: Suite


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One transform type on which the nearest pair of proposals disagrees."""

    type: str
    offered: tuple[str, ...]
    accepted: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.type}: offered {', '.join(self.offered) or 'none'}; accepted {', '.join(self.accepted) or 'none'}"
        )


@dataclass(frozen=True, slots=True)
class Mismatch:
    """No common proposal. `nearest` tells what stands between the two proposals that came closest."""

    offered: tuple[Proposal, ...]
    accepted: tuple[Proposal, ...]
    nearest: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class SelectorMismatch:
    """Nothing lies in both lists of selectors, on at least one side."""

    offered_local: tuple[TrafficSelector, ...]
    offered_remote: tuple[TrafficSelector, ...]
    accepted: tuple[tuple[str, tuple[TrafficSelector, ...], tuple[TrafficSelector, ...]], ...]
    """For each configured child: its name, local and remote selectors."""
