"""INITIAL-CONTACT, whatever the version: a peer that knows of no other IKE SA with us began anew. RFC 7296, 2.4."""

from __future__ import annotations

from isthmus.engine.ike_sa import IkeSa
from isthmus.events.ike import PeerRebooted


def others(sa: IkeSa) -> list[IkeSa]:
    """The other established IKE SAs with its peer. Without any we may claim initial contact."""
    if sa.peer is None:
        return []
    return [o for o in sa.ledger.with_peer(sa.peer.name) if o is not sa and o.established]


def honour_claim(sa: IkeSa) -> None:
    """The peer claims it, authentically: what we had with it is of no use any more."""
    # One that was established after this set-up began crossed it: the peer did not know of it when it wrote.
    old = [o for o in others(sa) if o.remote_id == sa.remote_id and (o.established_at or 0.0) <= sa.begun_at]
    for other in old:
        other.delete_silently("the peer began anew (INITIAL_CONTACT)")
    if old:
        sa.ledger.emit(PeerRebooted(**sa.label(), replaced=len(old)))
