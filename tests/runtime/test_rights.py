from __future__ import annotations

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
