"""A gateway dies without a word, and comes back: how long the traffic stands still.

ISTHMUS_FULL=1 holds it to the second that is promised, for a machine that has nothing else to do.
"""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path
from statistics import median

import pytest

from tests.interop.bench import Bench
from tests.interop.ours import ours
from tests.interop.pairing import our_side, their_side, two_of_ours
from tests.interop.patience import await_drained, until
from tests.interop.stream import Stream
from tests.interop.strongswan import Connection, Strongswan

pytestmark = pytest.mark.interop

_RATE = 500.0
_LIVENESS = 2.0
"""As the bench configures it."""
_SPARE = 1.0
_AT_ONCE = 1.0 if os.environ.get("ISTHMUS_FULL") == "1" else 3.0
"""From the start of the process: it has to be loaded first, which others on the machine make longer."""
_MISSED = _LIVENESS + _SPARE
"""From its return."""
_KILLS = 5 if os.environ.get("ISTHMUS_FULL") == "1" else 1


def test_an_initiator_that_was_killed_carries_traffic_again_at_once(bench: Bench, tmp_path: Path) -> None:
    left, right = two_of_ours()
    with ours(right, bench.right, tmp_path / "right") as there:
        there.await_answers()
        killed = ours(left, bench.left, tmp_path / "left")
        killed.await_tunnels()
        with Stream.over(bench, tmp_path, rates=(_RATE, _RATE)) as stream:
            time.sleep(0.5)
            killed.kill()
            time.sleep(0.5)
            started = time.monotonic()
            with ours(left, bench.left, tmp_path / "left") as again:
                again.await_answers()
                ready = time.monotonic()
                again.await_tunnels()
                time.sleep(0.5)
                account = stream.stop()
                await_drained(again, there)
    back = account.back_after(started)
    print(f"traffic back {back:.2f} s after the start of the process")
    assert account.back_after(ready) < _SPARE, str(account)
    assert back < _AT_ONCE, str(account)


def test_a_responder_that_was_killed_is_missed_by_the_liveness_check(bench: Bench, tmp_path: Path) -> None:
    left, right = two_of_ours()
    killed = ours(right, bench.right, tmp_path / "right")
    killed.await_answers()
    with ours(left, bench.left, tmp_path / "left") as here:
        here.await_tunnels()
        with Stream.over(bench, tmp_path, rates=(_RATE, _RATE)) as stream:
            time.sleep(0.5)
            killed.kill()
            started = time.monotonic()
            with ours(right, bench.right, tmp_path / "right") as again:
                again.await_answers()
                ready = time.monotonic()
                time.sleep(_MISSED)
                account = stream.stop()
                back = account.back_after(started)
                print(f"traffic back {back:.2f} s after the start of the peer, which took {ready - started:.2f} s")
                assert account.back_after(ready) < _MISSED, f"{account}\n{here.story()}"
                await_drained(again, here)


def test_strongswan_that_was_killed_and_begins_anew_carries_traffic_again(
    bench: Bench, strongswan: Strongswan, tmp_path: Path
) -> None:
    theirs = _starting(their_side())
    with ours(our_side(passive=True), bench.left, tmp_path / "ours") as gateway:
        gateway.await_answers()
        strongswan.load(theirs)
        gateway.await_tunnels()
        with Stream.over(bench, tmp_path, rates=(_RATE, _RATE)) as stream:
            time.sleep(0.5)
            strongswan.kill()
            started = time.monotonic()
            again = Strongswan(bench.right, tmp_path / "again")
            try:
                again.load(theirs)
                until(lambda: len(again.child_sas()) == 2)
                time.sleep(0.5)
                account = stream.stop()
                print(f"traffic back {account.back_after(started):.2f} s after the start of the process")
                assert account.back_after(started) < _SPARE + _SPARE, str(account)
                # INITIAL_CONTACT: what the dead process had is gone.
                await_drained(gateway)
            finally:
                again.stop()


def test_strongswan_that_was_killed_and_waits_to_be_called_is_missed_by_the_liveness_check(
    bench: Bench, strongswan: Strongswan, tmp_path: Path
) -> None:
    """It says nothing to whom it does not know: only its silence tells that it has forgotten us."""
    strongswan.load(their_side())
    with ours(our_side(), bench.left, tmp_path / "ours") as gateway:
        gateway.await_tunnels()
        times = []
        for attempt in range(_KILLS):
            with Stream.over(bench, tmp_path / f"stream-{attempt}", rates=(_RATE, _RATE)) as stream:
                time.sleep(0.5)
                strongswan.kill()
                killed = time.monotonic()
                strongswan = Strongswan(bench.right, tmp_path / f"again-{attempt}")
                try:
                    strongswan.load(their_side())
                    ready = time.monotonic()
                    time.sleep(_MISSED)
                    account = stream.stop()
                    await_drained(gateway)
                    times.append((account.back_after(ready), account.back_after(killed)))
                    assert times[-1][0] < _MISSED, f"{account}\n{gateway.story()}"
                finally:
                    if attempt == _KILLS - 1:
                        strongswan.stop()
        after, since = (median(column) for column in zip(*times, strict=True))
        print(f"traffic back {after:.2f} s after it was up again, {since:.2f} s after its death; median of {times}")


def _starting(connection: Connection) -> Connection:
    """The same, with every child begun as soon as it is loaded."""
    children = (dataclasses.replace(child, settings="start_action = start") for child in connection.children)
    return dataclasses.replace(connection, children=tuple(children))
