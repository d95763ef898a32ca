"""ML-KEM and a post-quantum pre-shared key between two of ours, through a middle that carries no IP fragment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from isthmus.lab.capture import Capture, Seen
from isthmus.lab.gateways import RunningGateway
from isthmus.lab.namespaces import Namespace, Playground
from tests.interop.bench import Bench
from tests.interop.ours import Site, ours
from tests.interop.pairing import two_of_ours

pytestmark = pytest.mark.interop

_PATH = 1280
"""What the middle carries; it tells nobody."""
_PPK = "0x" + "5eed" * 16


@dataclass(frozen=True)
class PostQuantum(Site):
    """A side that insists on a KEM for every SA, and on a post-quantum pre-shared key."""

    method: str = "ml-kem-768"

    def text(self) -> str:
        more = f"additional-key-exchange: [[{self.method}]]"
        text = super().text()
        for lifetime in ("    lifetime: 8h\n", "    lifetime: 1h\n"):
            text = text.replace(lifetime, f"{lifetime}    {more}\n")
        ppk = "    ppk: {mode: mandatory, keys: {first: {file: ppk.key}, second: {file: ppk.key}}}\n"
        return text.replace("    local-id:", f"{ppk}    local-id:")

    def write(self, home: Path) -> Path:
        path = super().write(home)
        key = home / "ppk.key"
        key.write_text(_PPK)
        key.chmod(0o600)
        return path


@pytest.fixture
def playground() -> Iterator[Playground]:
    with Playground("pq-") as made:
        yield made


@pytest.mark.parametrize("method", ["ml-kem-768", "ml-kem-1024"])
def test_all_of_it_passes_a_path_without_fragments(bench: Bench, tmp_path: Path, method: str) -> None:
    _carry_little(bench.middle)
    left, right = (PostQuantum(**vars(site), method=method) for site in two_of_ours())
    with (
        Capture(bench.middle) as capture,
        ours(right, bench.right, tmp_path / "right") as there,
        ours(left, bench.left, tmp_path / "left") as here,
    ):
        here.await_tunnels()
        there.await_tunnels()
        assert bench.pings(0) == (4, 4)
        assert _told(here, "ike.established", "ppk") in ({"PPK first"}, {"PPK second"})
        assert {suite.rpartition("/")[2] for suite in _told(here, "ike.established", "suite")} == {method}

        for verb in (("rekey", "ipsec-sa", "there"), ("rekey", "ike-sa", "there"), ("rekey", "ipsec-sa", "there")):
            for gateway in (here, there):
                assert gateway.ask(*verb).status == 0
        here.await_single_sas()
        there.await_single_sas()
        assert [bench.pings(lan) for lan in (0, 1)] == [(4, 4), (4, 4)]
        assert _passed(here) == _passed(there) == {"one": (8, 8), "two": (8, 8)}
        assert any(suite.endswith(method) for suite in _told(here, "child.installed", "suite"))
        packets = capture.stop()
    assert not [packet for packet in packets if _fragmented(packet)]
    largest = max(len(packet.octets) for packet in packets if _is_ike(packet))
    assert 1000 < largest <= _PATH
    # Nothing of it could have come as one datagram: the KEM's values are sent in fragments of IKE.
    assert len([packet for packet in packets if _is_ike_fragment(packet)]) > 20


def _carry_little(middle: Namespace) -> None:
    rules = f"""
table ip narrow {{
  chain pass {{
    type filter hook prerouting priority raw - 200; policy accept;
    ip frag-off & 0x3fff != 0 drop
    meta length > {_PATH} drop
  }}
}}
"""
    done = middle.run("sh", "-c", f"printf '%s' '{rules}' | nft -f -")
    assert done.returncode == 0, done.stderr


def _passed(gateway: RunningGateway) -> dict[Any, tuple[Any, Any]]:
    """Packets that came in by each Child SA and went out."""
    return {row["proxy_id"]: (row["packets_in"], row["packets_out"]) for row in gateway.table("show", "ipsec-sa")}


def _told(gateway: RunningGateway, code: str, field: str) -> set[Any]:
    rows: list[dict[str, Any]] = gateway.table("show", "events", "--code", code)
    return {row["fields"][field] for row in rows}


def _fragmented(packet: Seen) -> bool:
    return packet.ethertype == 0x0800 and int.from_bytes(packet.octets[6:8]) & 0x3FFF != 0


def _ike(packet: Seen) -> bytes | None:
    """The IKE message in a packet, if it is one."""
    if packet.ethertype != 0x0800 or packet.octets[9] != 17:
        return None
    udp = packet.octets[20:]
    ports = {int.from_bytes(udp[0:2]), int.from_bytes(udp[2:4])}
    if 4500 in ports:
        return udp[12:] if udp[8:12] == bytes(4) else None
    return udp[8:] if 500 in ports else None


def _is_ike(packet: Seen) -> bool:
    return bool(_ike(packet))


def _is_ike_fragment(packet: Seen) -> bool:
    message = _ike(packet)
    return message is not None and message[16] == 53
