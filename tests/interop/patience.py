"""Waiting for what must come true, and asking what stands."""

from __future__ import annotations

import time
from collections.abc import Callable

from isthmus.lab.gateways import RunningGateway
from tests.interop.strongswan import Strongswan

DRAINED = 40.0
"""Seconds after which nothing of what was replaced may be left."""


def until(true: Callable[[], bool], limit: float = 20.0, what: Callable[[], object] = lambda: "") -> float:
    """How long it took; `what` says how things stand if it took too long."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < limit, f"it did not come to that in {limit:.0f} s: {what()}"
        time.sleep(0.1)
    return time.monotonic() - began


def order(gateway: RunningGateway, *words: str) -> None:
    """A verb that must succeed."""
    answer = gateway.ask(*words)
    assert answer.status == 0, f"{gateway.name}: {answer.text}{answer.complaint}\n{gateway.story()}"


def await_drained(*gateways: RunningGateway, sas: tuple[int, int] = (1, 2)) -> None:
    """Until each has so many IKE SAs and Child SAs, those counted that are about to go."""
    for gateway in gateways:
        until(lambda gateway=gateway: our_sas(gateway) == sas, DRAINED, lambda gateway=gateway: our_sas(gateway))  # type: ignore[misc]


def our_sas(gateway: RunningGateway) -> tuple[int, int]:
    """IKE SAs and Child SAs, whatever their state."""
    return len(gateway.table("show", "ike-sa")), len(gateway.table("show", "ipsec-sa"))


def their_sas(strongswan: Strongswan) -> tuple[int, int]:
    sas = strongswan.ike_sas()
    children = [sa["child-sas"] for sa in sas]
    return len(sas), sum(len(of_one) for of_one in children if isinstance(of_one, dict))


def their_spis(strongswan: Strongswan) -> set[object]:
    """What tells the SAs that carry now from those before."""
    ike = {sa["initiator-spi"] for sa in strongswan.ike_sas()}
    return ike | {child["spi-in"] for child in strongswan.child_sas()}
