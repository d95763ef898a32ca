"""Two IKE SAs with one peer: which stays. The rule of RFC 7296, 2.8.1 for crossed exchanges, applied to set-ups."""

from __future__ import annotations

from isthmus.engine.collision import loses
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.states import IkeLife
from isthmus.events.ike import TwinIkeSa

_OURS_LEAVES = 1.0
_REPLACED_LEAVES = 5.0
_THEIRS_LEAVES = 15.0


def settle_twins(sa: IkeSa) -> None:
    """Called as an IKE SA is established. Nothing is taken down at once: the survivor carries the traffic already."""
    if sa.peer is None:
        return
    for other in sa.ledger.with_peer(sa.peer.name):
        if other is sa or other.remote_id != sa.remote_id:
            continue
        if other.established:
            _settle(sa, other)
        elif other.life is IkeLife.CONNECTING and other.began_here and not other.dialect.answered:
            other.delete_silently("the peer was faster")


def _settle(sa: IkeSa, other: IkeSa) -> None:
    if _crossed(sa, other):
        loser, winner = (other, sa) if loses(other.nonces, sa.nonces) else (sa, other)
        decision = f"both ends began at once, the one begun {'here' if winner.began_here else 'there'} stays"
        loser.expect_twin(winner, _OURS_LEAVES if loser.began_here else _THEIRS_LEAVES)
    else:
        decision = "the newer one stays"
        other.expect_twin(sa, _REPLACED_LEAVES if sa.began_here else _THEIRS_LEAVES)
    sa.ledger.emit(TwinIkeSa(**sa.label(), decision=decision))


def _crossed(sa: IkeSa, other: IkeSa) -> bool:
    """Each end began one before the other's stood."""
    return other.began_here != sa.began_here and (other.established_at or 0.0) > sa.begun_at
