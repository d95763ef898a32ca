"""Which post-quantum pre-shared key is mixed into an IKE SA. RFC 8784."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from isthmus.engine.ikev2.keys import IkeKeys
from isthmus.engine.ledger import Ledger
from isthmus.model.plan import PeerPlan, PostquantumKeys
from isthmus.wire.registry import PpkIdType


@dataclass(frozen=True, slots=True)
class PpkInUse:
    """One that was mixed into the keys."""

    id: bytes
    bare: IkeKeys
    """The keys without it."""


def choose(ledger: Ledger, peer: PeerPlan, ppk: PostquantumKeys) -> bytes:
    """As initiator: any of the keys, and as long as this peer is known the same one."""
    chosen = ledger.ppks.get(peer.name)
    if chosen not in ppk.keys or chosen is None:
        ids = sorted(ppk.keys)
        chosen = ids[int.from_bytes(ledger.entropy.octets(4)) % len(ids)]
    return chosen


def payload(ppk_id: bytes) -> bytes:
    """PPK_ID, the content of N(PPK_IDENTITY) in a request."""
    # RFC 8784, 5.1: PPK_ID_FIXED; the other type is for whoever has agreed privately on what its octets mean.
    return bytes([PpkIdType.PPK_ID_FIXED]) + ppk_id


def fixed_id(data: bytes) -> bytes | None:
    """The ID that a request names, if it is of the type that we know."""
    return data[1:] if data[:1] == bytes([PpkIdType.PPK_ID_FIXED]) else None


def named(ids: Iterable[bytes]) -> tuple[str, ...]:
    """IDs for people to read, whatever octets they are."""
    return tuple(f"PPK {repr(ppk_id)[2:-1]}" for ppk_id in ids)
