"""The bench of many tunnels, with as many as every run can afford. ISTHMUS_FULL=1: a thousand."""

from __future__ import annotations

import os

import pytest
from bench.scale import measure

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]
_TUNNELS = 1000 if os.environ.get("ISTHMUS_FULL") == "1" else 50
_GIGABYTE = 1024.0
"""A thousand tunnels fit in it."""
_EACH = 1.0
"""Megabytes for a tunnel, beside what a gateway without any takes."""
_BARE = 128.0


def test_many_tunnels_stand_between_two_gateways_and_take_little_memory() -> None:
    figures = {figure.what: figure for figure in measure(_TUNNELS, idle=1.0)}
    memory = figures["memory"]
    for megabytes in (memory.hub, memory.caller or 0.0):
        assert 0 < megabytes < min(_BARE + _TUNNELS * _EACH, _GIGABYTE)
