"""How one Child SA follows another without losing a packet, and which of two successors stays. RFC 7296, 2.8."""

from __future__ import annotations

from isthmus.engine.announcement import announce
from isthmus.engine.child_sa import ChildSa
from isthmus.engine.collision import loses
from isthmus.engine.deadlines import Deadline
from isthmus.engine.states import ChildLife
from isthmus.events.child import RekeyCollision
from isthmus.model.quantities import Instant, Seconds

_LOSER_LEAVES = Seconds(30.0)
"""How long the end that made the redundant successor may take to delete it."""


def inherit(old: ChildSa, new: ChildSa) -> None:
    """We made the successor: it receives already, and from now on it sends; the old one only receives."""
    old.successor = new
    new.take_over()
    new.schedule(requester=True)
    announce(new, replaces=old)


def wait_for_takeover(old: ChildSa, new: ChildSa) -> None:
    """The peer made the successor: it sends once the peer is seen to use it, or deletes the old one.

    Until then the peer may not have our response, and would drop what came by the new SA.
    """
    old.successor = new
    old.ike.ledger.agenda.cancel(old, Deadline.REKEY)
    new.schedule(requester=False)
    announce(new, replaces=old)


def crossed(old: ChildSa, ours: ChildSa) -> bool:
    """Both ends rekeyed at once: the exchange with the lowest of the four nonces was redundant (RFC 7296, 2.8.1).

    Whether that was ours: then it is deleted again, by us, and the peer's successor stays.
    """
    theirs, old.heir_of_peer = old.heir_of_peer, None
    if theirs is None or theirs.life in (ChildLife.DRAINING, ChildLife.DELETED):
        return False
    we_lose = outdone(old, ours.terms.nonces, theirs.terms.nonces)
    if we_lose:
        ours.installation.receive()
        ours.retire()
        old.ike.dialect.delete_child(ours, "redundant after a crossed rekey")
        wait_for_takeover(old, theirs)
    else:
        outlast(old, theirs)
    return we_lose


def outdone(old: ChildSa, ours: tuple[bytes, bytes], theirs: tuple[bytes, bytes]) -> bool:
    """Whether ours is the redundant one of two exchanges that are to replace the same Child SA, by their nonces."""
    we_lose = loses(ours, theirs)
    winner = "the peer's" if we_lose else "ours"
    old.ike.ledger.emit(RekeyCollision(**old.ike.label(), child=old.name, winner=winner))
    return we_lose


def outlast(old: ChildSa, theirs: ChildSa) -> None:
    """The peer's successor is the redundant one: the peer will delete it, and if it forgets, we do."""
    theirs.retire()
    ledger = old.ike.ledger
    ledger.agenda.set(theirs, Deadline.EXPIRE, Instant(ledger.now + _LOSER_LEAVES))
