"""Keeping a NAT's mapping open. RFC 3948, 4: only the end behind the NAT does."""

from __future__ import annotations

from isthmus.engine.deadlines import Deadline
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.outputs import SendKeepAlive
from isthmus.model.quantities import Instant


def send(sa: IkeSa) -> None:
    """One octet, and the next in its time."""
    sa.ledger.emit(SendKeepAlive(sa.local, sa.remote))
    schedule(sa)


def schedule(sa: IkeSa) -> None:
    if sa.peer is not None and sa.nat.local:
        due = Instant(sa.ledger.now + sa.peer.nat_traversal.keep_alive)
        sa.ledger.agenda.set(sa, Deadline.KEEP_NAT_OPEN, due)
