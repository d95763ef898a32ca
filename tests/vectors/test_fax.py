"""The reader of NIST's answer files."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.vectors import fax

TEXT = """# CAVS 17.3\r
[g^xy length = 256]\r
[SHA-1]\r
\r
COUNT = 0\r
Ni = 0102\r
Nr = 03\r
\r
COUNT = 1\r
Ni = 04\r
Nr = \r
[g^xy length = 512]\r
[SHA-256]\r
COUNT = 0\r
Ni = 05\r
"""


def test_each_case_knows_the_block_it_stands_in(tmp_path: Path) -> None:
    path = tmp_path / "set.fax"
    path.write_bytes(TEXT.encode())
    assert list(fax.read(path)) == [
        fax.Case(0, ("SHA-1",), {"g^xy length": 256}, {"Ni": b"\1\2", "Nr": b"\3"}),
        fax.Case(1, ("SHA-1",), {"g^xy length": 256}, {"Ni": b"\4", "Nr": b""}),
        fax.Case(0, ("SHA-256",), {"g^xy length": 512}, {"Ni": b"\5"}),
    ]


def test_a_packed_file_reads_the_same(tmp_path: Path) -> None:
    plain, packed = tmp_path / "set.fax", tmp_path / "set.fax.gz"
    plain.write_bytes(TEXT.encode())
    packed.write_bytes(gzip.compress(TEXT.encode()))
    assert list(fax.read(plain)) == list(fax.read(packed))


def test_the_chosen_handful_has_every_hash_and_every_size() -> None:
    cases = list(fax.read(fax.HERE / "ikev2.fax"))
    assert len(cases) == 9
    assert {case.labels for case in cases} == {("SHA-1",), ("SHA-256",), ("SHA-384",), ("SHA-512",)}
    assert {case.sizes["g^ir length"] for case in cases} == {256, 8192}
    assert all(len(case["g^ir"]) * 8 == case.sizes["g^ir length"] for case in cases)
