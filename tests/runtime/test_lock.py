from __future__ import annotations

import os

import pytest

from isthmus.runtime import lock
from tests.network.namespace import namespace, needs_root


def hold_twice() -> str:
    with lock.held():
        try:
            with lock.held():
                return "held twice"
        except lock.AlreadyRunning as refusal:
            return refusal.why


def hold() -> None:
    with lock.held():
        pass


@needs_root
def test_a_second_gateway_is_told_who_is_there() -> None:
    with namespace() as host:
        assert host.run(hold_twice) == (
            f"another gateway runs in this network namespace: process {os.getpid()} of user {os.geteuid()}"
        )


@needs_root
def test_another_network_namespace_has_another_lock() -> None:
    with namespace() as one, namespace() as other:
        entered = lock.held()
        one.run(entered.__enter__)
        other.run(hold)
        with pytest.raises(lock.AlreadyRunning):
            one.run(hold)
        one.run(lambda: entered.__exit__(None, None, None))
        one.run(hold)
