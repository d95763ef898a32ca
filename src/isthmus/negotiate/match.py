"""Which configured peer speaks: by address at first, by identity once it has said who it is. RFC 7296, 2.15."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isthmus.model.address import Address
from isthmus.model.identity import Identity
from isthmus.model.plan import DynamicPeer, FixedPeer, NamedPeer, PeerPlan


def by_address(
    peers: Iterable[PeerPlan], local: Address, remote: Address, resolved: Mapping[str, tuple[Address, ...]]
) -> tuple[PeerPlan, ...]:
    """The peers that may speak from `remote` to `local`; those with that very address before the dynamic ones."""
    here = [p for p in peers if p.local == local]
    named = [p for p in here if not isinstance(p.address, DynamicPeer) and remote in addresses_of(p, resolved)]
    return (*named, *(p for p in here if isinstance(p.address, DynamicPeer)))


def addresses_of(peer: PeerPlan, resolved: Mapping[str, tuple[Address, ...]]) -> tuple[Address, ...]:
    """Where a peer may be found, as far as is known now."""
    match peer.address:
        case FixedPeer(address):
            return (address,)
        case NamedPeer():
            return resolved.get(peer.name, ())
        case DynamicPeer():
            return ()


def expected_identity(peer: PeerPlan, remote: Address) -> Identity:
    """Who the peer must be: its configured identity, else its address."""
    return peer.peer_id if peer.peer_id is not None else Identity.of_address(remote)


def by_identity(peers: Iterable[PeerPlan], claimed: Identity, remote: Address) -> tuple[PeerPlan, ...]:
    """Those of the peers whose identity is the claimed one."""
    return tuple(p for p in peers if expected_identity(p, remote) == claimed)
