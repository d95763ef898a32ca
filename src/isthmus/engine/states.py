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
    """A Child SA is `rekeyed` once another sends in its place; it still receives until its delete is agreed."""

    INSTALLED = "installed"
    REKEYED = "rekeyed"
    DELETING = "deleting"
    DELETED = "deleted"


IKE_LIFE: dict[IkeLife, frozenset[IkeLife]] = {
    IkeLife.CONNECTING: frozenset({IkeLife.ESTABLISHED, IkeLife.DELETING, IkeLife.DELETED}),
    IkeLife.ESTABLISHED: frozenset({IkeLife.REKEYED, IkeLife.DELETING, IkeLife.DELETED}),
    IkeLife.REKEYED: frozenset({IkeLife.DELETING, IkeLife.DELETED}),
    IkeLife.DELETING: frozenset({IkeLife.DELETED}),
    IkeLife.DELETED: frozenset(),
}

CHILD_LIFE: dict[ChildLife, frozenset[ChildLife]] = {
    ChildLife.INSTALLED: frozenset({ChildLife.REKEYED, ChildLife.DELETING, ChildLife.DELETED}),
    ChildLife.REKEYED: frozenset({ChildLife.INSTALLED, ChildLife.DELETING, ChildLife.DELETED}),
    ChildLife.DELETING: frozenset({ChildLife.DELETED}),
    ChildLife.DELETED: frozenset(),
}


class WrongTransition(Exception):
    """A bug of ours: an SA was asked to live backwards."""
