"""Which configured peers may speak between two addresses: an index, so that a flood does not walk the plan."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.model.address import Address
from isthmus.model.plan import DynamicPeer, PeerPlan, Plan, Version
from isthmus.negotiate import match

_Place = tuple[Address, Address]


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who may begin from a place, in one version."""

    peers: tuple[PeerPlan, ...]
    require_cookie: bool
    """Whether one of them does."""


class Directory:
    """Answers as `match.by_address` does. It is made anew when the plan or a resolved name has changed."""

    def __init__(self, plan: Plan, resolved: dict[str, tuple[Address, ...]]) -> None:
        self._expected: dict[_Place, list[PeerPlan]] = {}
        self._dynamic: dict[Address, list[PeerPlan]] = {}
        self._speakers: dict[tuple[Address, Address | None, Version], Speakers] = {}
        """By local and remote address, where somebody is expected there; None: from anywhere else."""
        for peer in plan.peers.values():
            if isinstance(peer.address, DynamicPeer):
                self._dynamic.setdefault(peer.local, []).append(peer)
            for remote in match.addresses_of(peer, resolved):
                self._expected.setdefault((peer.local, remote), []).append(peer)

    def candidates(self, local: Address, remote: Address) -> tuple[PeerPlan, ...]:
        """The peers that may speak from `remote` to `local`; those with that very address before the dynamic ones."""
        return (*self._expected.get((local, remote), ()), *self._dynamic.get(local, ()))

    def speakers(self, local: Address, remote: Address, version: Version) -> Speakers:
        """Those of them that speak a version. A thousand dynamic peers are looked at once, not for each datagram."""
        place = local, remote if (local, remote) in self._expected else None, version
        found = self._speakers.get(place)
        if found is None:
            peers = tuple(peer for peer in self.candidates(local, remote) if peer.speaks(version))
            found = self._speakers[place] = Speakers(peers, any(peer.require_cookie for peer in peers))
        return found
