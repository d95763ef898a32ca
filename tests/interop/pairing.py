"""Ours at the left and strongSwan at the right of a bench, configured to agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isthmus.lab.gateways import RunningGateway
from tests.interop.bench import LEFT, LEFT_LANS, RIGHT, RIGHT_LANS, Bench
from tests.interop.ours import KEY, MODERN, Site, Suite, ours
from tests.interop.strongswan import Child, Connection

OUR_ID, THEIR_ID = "left.example", "right.example"


def our_side(suite: Suite = MODERN, *, pfs: bool = True, passive: bool = False, proxy_ids: int = 2) -> Site:
    return Site(
        LEFT,
        RIGHT,
        OUR_ID,
        THEIR_ID,
        LEFT_LANS[:proxy_ids],
        RIGHT_LANS[:proxy_ids],
        suite,
        pfs,
        passive,
        start="on-demand" if passive else "immediate",
    )


def their_side(suite: Suite = MODERN, *, pfs: bool = True, key: str = KEY) -> Connection:
    group = f"-{suite.their_group}" if pfs else ""
    children = tuple(
        Child(name, str(theirs), str(ours), suite.their_esp + group)
        for name, ours, theirs in zip(("one", "two"), LEFT_LANS, RIGHT_LANS, strict=True)
    )
    return Connection("there", str(RIGHT), str(LEFT), THEIR_ID, OUR_ID, key, suite.their_ike, children)


def two_of_ours(suite: Suite = MODERN, *, encapsulation: str = "auto", right_passive: bool = True) -> tuple[Site, Site]:
    """Both sides of the bench; the left one begins."""
    left = Site(LEFT, RIGHT, OUR_ID, THEIR_ID, LEFT_LANS, RIGHT_LANS, suite, encapsulation=encapsulation)
    right = Site(
        RIGHT, LEFT, THEIR_ID, OUR_ID, RIGHT_LANS, LEFT_LANS, suite, passive=right_passive, encapsulation=encapsulation
    )
    return left, right


@contextmanager
def running(bench: Bench, home: Path, sites: tuple[Site, Site]) -> Iterator[tuple[RunningGateway, RunningGateway]]:
    """Both ends of the bench, with every tunnel up."""
    left, right = sites
    with ours(right, bench.right, home / "right") as there:
        there.await_answers()
        with ours(left, bench.left, home / "left") as here:
            here.await_tunnels()
            yield here, there
