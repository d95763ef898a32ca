"""Which configured peers may speak between two addresses: an index, so that a flood does not walk the plan."""

from __future__ import annotations

from isthmus.model.address import Address
from isthmus.model.plan import DynamicPeer, PeerPlan, Plan
from isthmus.negotiate import match

_Place = tuple[Address, Address]


class Directory:
    """Answers as `match.by_address` does. It is made anew when the plan or a resolved name has changed."""

    def __init__(self, plan: Plan, resolved: dict[str, tuple[Address, ...]]) -> None:
        self._expected: dict[_Place, list[PeerPlan]] = {}
        self._dynamic: dict[Address, list[PeerPlan]] = {}
        for peer in plan.peers.values():
            if isinstance(peer.address, DynamicPeer):
                self._dynamic.setdefault(peer.local, []).append(peer)
            for remote in match.addresses_of(peer, resolved):
                self._expected.setdefault((peer.local, remote), []).append(peer)

    def candidates(self, local: Address, remote: Address) -> tuple[PeerPlan, ...]:
        """The peers that may speak from `remote` to `local`; those with that very address before the dynamic ones."""
        return (*self._expected.get((local, remote), ()), *self._dynamic.get(local, ()))
