"""The bench, made for each test and taken away after it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from isthmus.lab.namespaces import Playground
from tests.interop import strongswan
from tests.interop.bench import Bench


@pytest.fixture
def playground() -> Iterator[Playground]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with Playground("interop") as made:
        yield made


@pytest.fixture
def bench(playground: Playground) -> Bench:
    return Bench.on(playground)


@pytest.fixture(autouse=True)
def _peer() -> None:
    if (why := strongswan.missing()) is not None:
        pytest.skip(f"no strongSwan: {why}")
