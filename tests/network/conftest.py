from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.network.namespace import Namespace, namespace


@pytest.fixture
def host() -> Iterator[Namespace]:
    with namespace() as inside:
        inside.shell("ip link set lo up")
        yield inside
