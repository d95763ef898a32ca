"""Gateways that leave their local address to an interface go where the interface goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from isthmus.model.address import Address
from isthmus.model.identity import Identity
from isthmus.model.plan import PeerPlan, Plan


def relocated(plan: Plan, addresses: Callable[[str], tuple[Address, ...]]) -> Plan | None:
    """The plan with the addresses that the interfaces have now; None if nobody has to move.

    An address that is gone while no other has come is waited for.
    """
    moved = {peer.name: there for peer in plan.peers.values() if (there := _elsewhere(peer, addresses)) is not None}
    by_hand = {
        name: replace(manual, local=address)
        for name, manual in plan.manual.items()
        if manual.local_is_interfaces and (address := _other(manual.local, addresses(manual.outer))) is not None
    }
    if not moved and not by_hand:
        return None
    return replace(
        plan,
        peers=MappingProxyType({**plan.peers, **moved}),
        manual=MappingProxyType({**plan.manual, **by_hand}),
    )


def _other(local: Address, held: tuple[Address, ...]) -> Address | None:
    """Where to go; None: it is still there, or there is no other."""
    routable = (a for a in held if a.version == local.version and not a.is_link_local)
    return None if local in held else next(routable, None)


def _elsewhere(peer: PeerPlan, addresses: Callable[[str], tuple[Address, ...]]) -> PeerPlan | None:
    address = _other(peer.local, addresses(peer.interface)) if peer.local_is_interfaces else None
    if address is None:
        return None
    by_address = peer.local_id == Identity.of_address(peer.local)
    return replace(peer, local=address, local_id=Identity.of_address(address) if by_address else peer.local_id)
