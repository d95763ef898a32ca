"""The life of an SA, as tables. The request outstanding and the queue of intentions are other matters."""

from __future__ import annotations

from enum import StrEnum


class IkeLife(StrEnum):
    """An IKE SA is `connecting` until both ends are authenticated, and `rekeyed` once another has its children."""

    CONNECTING = "connecting"
    ESTABLISHED = "established"
    REKEYED = "rekeyed"
    DELETING = "deleting"
    DELETED = "deleted"


class ChildLife(StrEnum):
    """A Child SA is `rekeyed` once another sends in its place, and `draining` once its delete is agreed: packets that
    were under way are still received for a moment. It is `installing` while it receives, and waits for the initiator's
    confirmation before it sends (IKEv1)."""

    INSTALLING = "installing"
    INSTALLED = "installed"
    REKEYED = "rekeyed"
    DELETING = "deleting"
    DRAINING = "draining"
    DELETED = "deleted"


IKE_LIFE: dict[IkeLife, frozenset[IkeLife]] = {
    IkeLife.CONNECTING: frozenset({IkeLife.ESTABLISHED, IkeLife.DELETING, IkeLife.DELETED}),
    IkeLife.ESTABLISHED: frozenset({IkeLife.REKEYED, IkeLife.DELETING, IkeLife.DELETED}),
    IkeLife.REKEYED: frozenset({IkeLife.DELETING, IkeLife.DELETED}),
    IkeLife.DELETING: frozenset({IkeLife.DELETED}),
    IkeLife.DELETED: frozenset(),
}

CHILD_LIFE: dict[ChildLife, frozenset[ChildLife]] = {
    ChildLife.INSTALLING: frozenset(
        {ChildLife.INSTALLED, ChildLife.REKEYED, ChildLife.DELETING, ChildLife.DRAINING, ChildLife.DELETED}
    ),
    ChildLife.INSTALLED: frozenset({ChildLife.REKEYED, ChildLife.DELETING, ChildLife.DRAINING, ChildLife.DELETED}),
    ChildLife.REKEYED: frozenset({ChildLife.INSTALLED, ChildLife.DELETING, ChildLife.DRAINING, ChildLife.DELETED}),
    ChildLife.DELETING: frozenset({ChildLife.DRAINING, ChildLife.DELETED}),
    ChildLife.DRAINING: frozenset({ChildLife.DELETED}),
    ChildLife.DELETED: frozenset(),
}


class WrongTransition(Exception):
    """A bug of ours: an SA was asked to live backwards."""
