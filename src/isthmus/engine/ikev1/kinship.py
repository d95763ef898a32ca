"""The IKE SAs of version 1 with one peer: children belong to the peer, not to the IKE SA that made them.

RFC 2409, 5.5: what Quick Mode made outlives the phase 1 that protected it.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.engine.child_sa import ChildSa
from isthmus.engine.contact import others
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.states import ChildLife


def children_of(sa: IkeSa) -> Iterator[ChildSa]:
    """All children with its peer."""
    for each in (sa, *kin_of(sa)):
        yield from tuple(each.children.values())


def adopt(sa: IkeSa) -> None:
    """Takes over the children of the IKE SAs that stood before."""
    for other in kin_of(sa):
        move_children(other, sa)


def kin_of(sa: IkeSa) -> list[IkeSa]:
    """The other IKE SAs of version 1 that stand with the same identity, oldest first."""
    return [o for o in others(sa) if type(o.dialect) is type(sa.dialect) and o.remote_id == sa.remote_id]


def bequeath(sa: IkeSa) -> None:
    """Before it leaves: its children go to another IKE SA with the peer, if there is one."""
    kin = kin_of(sa)
    if kin:
        move_children(sa, kin[-1])


def move_children(source: IkeSa, heir: IkeSa) -> None:
    for child in tuple(source.children.values()):
        if child.life is ChildLife.INSTALLING:
            continue  # the exchange that makes it is the old IKE SA's: it ends there, or goes with it
        child.adopt(heir)
        if child.rekeying:
            child.rekeying = False  # it was queued on the old IKE SA, and is asked for again on the new one
            child.retry_rekey()
        if child.installation.remote != heir.remote:
            child.installation.move(heir.local, heir.remote)
