from __future__ import annotations

import subprocess
from ipaddress import ip_interface
from pathlib import Path

import pytest

from isthmus.lab.namespaces import Playground


def test_leaving_a_playground_removes_its_namespaces(playground: Playground) -> None:
    with Playground("gone") as inner:
        name = inner.namespace("one").name
        assert Path("/run/netns", name).exists()
    assert not Path("/run/netns", name).exists()


def test_a_process_stays_in_its_namespace_and_we_come_back(playground: Playground) -> None:
    here = Path("/proc/self/ns/net").readlink()
    one = playground.namespace("one")
    there = one.run("readlink", "/proc/self/ns/net").stdout.strip()
    assert there != str(here)
    assert Path("/proc/self/ns/net").readlink() == here


def test_an_error_inside_brings_us_back_too(playground: Playground) -> None:
    here = Path("/proc/self/ns/net").readlink()
    one = playground.namespace("one")
    with pytest.raises(FileNotFoundError):
        one.start(["/nonexistent"])
    assert Path("/proc/self/ns/net").readlink() == here


def test_the_fingerprint_shows_what_was_added(playground: Playground) -> None:
    one, two = playground.namespace("one"), playground.namespace("two")
    before = one.fingerprint()
    one.cable("eth7", two, "eth0")
    one.address("eth7", ip_interface("10.7.0.1/24"))
    with one.inside():
        subprocess.run(["ip", "rule", "add", "from", "10.7.0.0/24", "table", "77"], check=True)
    added = one.fingerprint() - before
    assert "link eth7" in added
    assert "address 10.7.0.1/24 on eth7" in added
    assert "route 10.7.0.0/24 by eth7 in table 254" in added
    assert any("to table 77" in line for line in added)
