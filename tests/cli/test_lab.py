from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from isthmus.cli.main import app
from isthmus.lab import story
from isthmus.lab.topology import Topology

_SITE = """\
interfaces:
  eth0: {{zone: any, virtual-router: default}}
  eth1: {{zone: any, virtual-router: default}}
  tunnel.1: {{zone: any, virtual-router: default}}
zones: {{any: {{}}}}
virtual-routers: {{default: {{}}}}
ike-gateways:
  there:
    interface: eth0
    local-address: {local}
    peer-address: {peer}
    authentication: {{pre-shared-key: "0x000102030405060708090a0b0c0d0e0f"}}
ipsec-tunnels:
  there:
    tunnel-interface: tunnel.1
    ike-gateway: there
    proxy-ids: {{lan: {{local: {mine}, remote: {theirs}}}}}
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Topology, Mapping[str, Path], story.Wishes]]:
    """What the story would have been told of; no namespace is made."""
    calls: list[tuple[Topology, Mapping[str, Path], story.Wishes]] = []

    def tell(topology: Topology, files: Mapping[str, Path], wishes: story.Wishes, console: object) -> bool:
        calls.append((topology, files, wishes))
        return True

    monkeypatch.setattr(story, "tell", tell)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return calls


def _write(directory: Path) -> None:
    ends = ("192.0.2.1", "10.1.0.0/24"), ("198.51.100.2", "10.2.0.0/24")
    for name, (local, mine), (peer, theirs) in (("hq", *ends), ("branch", *ends[::-1])):
        (directory / f"{name}.yaml").write_text(_SITE.format(local=local, peer=peer, mine=mine, theirs=theirs))


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_each_file_of_a_directory_is_a_site(
    tmp_path: Path, told: list[tuple[Topology, Mapping[str, Path], story.Wishes]]
) -> None:
    _write(tmp_path)
    assert _run("lab", tmp_path, "--keep", "-w", tmp_path / "wire.pcap").exit_code == 0
    ((topology, files, wishes),) = told
    assert files == {name: tmp_path / f"{name}.yaml" for name in ("branch", "hq")}
    assert {ip_address("10.1.0.2"), ip_address("10.2.0.2")} < topology.inner_addresses()
    assert wishes == story.Wishes(keep=True, capture=tmp_path / "wire.pcap")


def test_the_demo_has_its_own_two_sites(told: list[tuple[Topology, Mapping[str, Path], story.Wishes]]) -> None:
    result = _run("demo")
    assert result.exit_code == 0, result.output
    ((topology, _, _),) = told
    assert {flow.site for flow in topology.flows()} == {"hq", "branch"}


@pytest.mark.usefixtures("told")
def test_one_site_is_no_lab(tmp_path: Path) -> None:
    _write(tmp_path)
    assert _run("lab", tmp_path / "hq.yaml").exit_code == 2


@pytest.mark.usefixtures("told")
def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    assert _run("lab", tmp_path / "hq.yaml").exit_code == 4


def test_a_bad_file_is_refused_with_its_problems(
    tmp_path: Path, told: list[tuple[Topology, Mapping[str, Path], story.Wishes]]
) -> None:
    _write(tmp_path)
    with (tmp_path / "hq.yaml").open("a") as file:
        file.write("nonsense: 1\n")
    result = _run("lab", tmp_path)
    assert result.exit_code == 5
    assert "hq.yaml:18:1: UNKNOWN-KEY" in result.output
    assert told == []


def test_without_root_it_says_so(
    tmp_path: Path,
    told: list[tuple[Topology, Mapping[str, Path], story.Wishes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _write(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = _run("lab", tmp_path)
    assert result.exit_code == 6
    assert "root" in result.output
    assert told == []
