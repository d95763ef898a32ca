"""The bench, made for each test and taken away after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from isthmus.lab.namespaces import Playground
from tests.interop.bench import Bench
from tests.interop.strongswan import Strongswan, missing


@pytest.fixture
def playground() -> Iterator[Playground]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with Playground("interop") as made:
        yield made


@pytest.fixture
def bench(playground: Playground) -> Bench:
    return Bench.on(playground)


@pytest.fixture(scope="module")
def shared_bench() -> Iterator[Bench]:
    """One bench for the tests of a file that leave it as it was."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with Playground("interop") as made:
        yield Bench.on(made)


@pytest.fixture(scope="module")
def shared_strongswan(shared_bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strongswan]:
    """One charon for them: each loads its connections, and leaves no SA behind."""
    if (why := missing()) is not None:
        pytest.skip(f"no strongSwan: {why}")
    peer = Strongswan(shared_bench.right, tmp_path_factory.mktemp("strongswan"))
    yield peer
    peer.stop()


@pytest.fixture
def strongswan(bench: Bench, tmp_path: Path) -> Iterator[Strongswan]:
    """A strongSwan at the right of the bench."""
    if (why := missing()) is not None:
        pytest.skip(f"no strongSwan: {why}")
    peer = Strongswan(bench.right, tmp_path / "strongswan")
    yield peer
    peer.stop()
