"""The whole of it, by the command line: what `make demo` shows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

_ISTHMUS = (sys.executable, "-m", "isthmus")
_EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples/two-sites"

_OUTER = (("192.0.2.1", "2001:db8:1::1"), ("198.51.100.2", "2001:db8:2::2"))
_INNER = (("10.1.0.0/16", "fd00:1::/64"), ("10.2.0.0/16", "fd00:2::/64"))


def _namespaces(pid: int) -> list[str]:
    return [path.name for path in Path("/run/netns").glob(f"lab{pid}-*")]


def _begin(*words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen([*_ISTHMUS, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_the_demo_keeps_every_promise_and_leaves_nothing(tmp_path: Path) -> None:
    process = _begin("demo", "--capture", tmp_path / "wire.pcap")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "FAIL" not in output
    assert "every tunnel is up" in output
    assert "SHA-256 equal at both ends" in output
    assert _namespaces(process.pid) == []
    assert (tmp_path / "wire.pcap").stat().st_size > 8 << 20


@pytest.mark.parametrize("inner", [4, 6])
@pytest.mark.parametrize("outer", [4, 6])
def test_either_ip_version_carries_either(tmp_path: Path, outer: int, inner: int) -> None:
    (tmp_path / "demo.psk").write_bytes((_EXAMPLES / "demo.psk").read_bytes())
    for name in ("hq", "branch"):
        text = (_EXAMPLES / f"{name}.yaml").read_text().replace(", address: [10.255.0.", ", mtu: auto} # ")
        for old, new in (_OUTER if outer == 6 else ()) + (_INNER if inner == 6 else ()):
            text = text.replace(old, f'"{new}"')
        (tmp_path / f"{name}.yaml").write_text(text)
    process = _begin("lab", tmp_path)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert output.count("5 of 5 answered") == 2
    assert output.count("SHA-256 equal at both ends") == 2


def test_two_sites_that_disagree_fail_and_say_why(tmp_path: Path) -> None:
    for name in ("hq", "branch"):
        text = (_EXAMPLES / f"{name}.yaml").read_text()
        (tmp_path / f"{name}.yaml").write_text(text.replace("demo.psk", f"{name}.psk"))
        secret = tmp_path / f"{name}.psk"
        secret.write_text(f"the key that only {name} has, and no other\n")
        secret.chmod(0o600)
    process = _begin("lab", tmp_path, "--patience", "15")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output
    assert "FAIL" in output
    assert "authentication" in output.lower()
    assert _namespaces(process.pid) == []


def test_an_end_by_signal_removes_everything(tmp_path: Path) -> None:
    process = _begin("demo", "--keep")
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line)
        if "tcpdump" in line:
            break
    assert _namespaces(process.pid) != [], told
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert _namespaces(process.pid) == []
