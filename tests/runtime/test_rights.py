from __future__ import annotations

import resource
from pathlib import Path

import pytest

from isthmus.runtime import rights


def with_capabilities(monkeypatch: pytest.MonkeyPatch, home: Path, effective: int) -> None:
    status = home / "status"
    status.write_text(f"Name:\tisthmus\nCapPrm:\t0000000000000000\nCapEff:\t{effective:016x}\n")
    monkeypatch.setattr(rights, "_STATUS", status)


def test_three_capabilities_are_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_capabilities(monkeypatch, tmp_path, 1 << 10 | 1 << 12 | 1 << 13)
    rights.require()


def test_every_missing_one_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_capabilities(monkeypatch, tmp_path, 1 << 12)
    with pytest.raises(rights.NotPermitted, match="CAP_NET_BIND_SERVICE, CAP_NET_RAW:"):
        rights.require()


def test_as_many_descriptors_are_taken_as_may_be_and_never_fewer_than_there_were() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        rights.claim_descriptors()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == (65536 if hard == resource.RLIM_INFINITY else min(65536, hard))
        rights.claim_descriptors()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
