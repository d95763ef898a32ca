"""Two SAs where one should be, and which stays: the rule of RFC 7296, 2.8.1, applied to what is made anew."""

from __future__ import annotations

from isthmus.engine.child_sa import ChildSa
from isthmus.engine.collision import loses
from isthmus.engine.deadlines import Deadline
from isthmus.engine.dialect import Progress
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.states import IkeLife
from isthmus.events.child import DuplicateChild
from isthmus.events.ike import TwinIkeSa
from isthmus.model.plan import Version
from isthmus.model.quantities import Instant

_OURS_LEAVES = 1.0
_REPLACED_LEAVES = 5.0
_THEIRS_LEAVES = 15.0


def settle_twins(sa: IkeSa) -> None:
    """Called as an IKE SA is established. Nothing is taken down at once: the survivor carries the traffic already."""
    sa.rivalry.doubted = None
    if sa.peer is None:
        return
    for other in sa.ledger.with_peer(sa.peer.name):
        if other is sa or other.remote_id != sa.remote_id:
            continue
        if other.established:
            _settle(sa, other)
        elif other.life is IkeLife.CONNECTING and other.began_here and other.dialect.progress is Progress.UNANSWERED:
            other.delete_silently("the peer was faster")


def settle_twin_children(child: ChildSa) -> None:
    """Called as a child that succeeds nobody is installed: of two for the same selectors one is redundant.

    If each end made one, the exchange with the lowest nonce loses, and whoever made it deletes it.
    """
    ike, terms = child.ike, child.terms
    for other in tuple(ike.children.values()):
        if other is child or not other.usable or other.plan != child.plan or not _same_selectors(other, child):
            continue
        label = ike.label()
        ike.ledger.emit(DuplicateChild(**label, child=child.name, spi_in=terms.spi_in, spi_out=terms.spi_out))
        if other.terms.began_here == terms.began_here:
            ike.dialect.delete_child(other, "a newer one serves the same selectors")
            continue
        loser, winner = (other, child) if loses(other.terms.nonces, terms.nonces) else (child, other)
        if loser.terms.began_here:
            ike.dialect.delete_child(loser, "redundant: both ends made one at once")
        else:
            loser.twin = winner
            ike.ledger.agenda.set(loser, Deadline.TWIN_ENDS, Instant(ike.ledger.now + _THEIRS_LEAVES))


def _same_selectors(one: ChildSa, other: ChildSa) -> bool:
    return set(one.terms.local_ts) == set(other.terms.local_ts) and set(one.terms.remote_ts) == set(
        other.terms.remote_ts
    )


def _settle(sa: IkeSa, other: IkeSa) -> None:
    if _crossed(sa, other):
        loser, winner = (other, sa) if _yields(other, sa) else (sa, other)
        decision = f"both ends began at once, the one begun {'here' if winner.began_here else 'there'} stays"
        loser.rivalry.yield_to(winner, _OURS_LEAVES if loser.began_here else _THEIRS_LEAVES)
    else:
        decision = "the newer one stays"
        other.rivalry.expect(sa, _REPLACED_LEAVES if sa.began_here else _THEIRS_LEAVES)
    sa.ledger.emit(TwinIkeSa(**sa.label(), decision=decision))


def _yields(one: IkeSa, other: IkeSa) -> bool:
    """Of two versions the newer one stays, at both ends; else the nonces decide."""
    if one.version is not other.version:
        return one.version is Version.IKEV1
    return loses(one.nonces, other.nonces)


def _crossed(sa: IkeSa, other: IkeSa) -> bool:
    """Each end began one before the other's stood, or at that very instant."""
    return other.began_here != sa.began_here and (other.established_at or 0.0) >= sa.begun_at
