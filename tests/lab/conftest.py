from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from isthmus.lab.namespaces import Playground


@pytest.fixture
def playground() -> Iterator[Playground]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with Playground("labtest") as made:
        yield made
