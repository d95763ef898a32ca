"""What runs in the virtual machine only: `tests/vm/test_in_the_machine.py` starts it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from isthmus.lab.namespaces import Playground
from tests.interop.bench import Bench

if "ISTHMUS_IN_VM" not in os.environ:
    collect_ignore_glob = ["test_*.py"]

_MODULES = ("tun", "veth", "esp4", "esp6", "ah4", "ah6", "xfrm_user")


@pytest.fixture(scope="session", autouse=True)
def _modules() -> None:
    subprocess.run(["modprobe", "-a", *_MODULES], check=True)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Playground("vm") as playground:
        yield Bench.on(playground)
