"""The tests of `inside`, which need a kernel that has ESP and AH: run in a virtual machine, and told here."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.vm import machine

pytestmark = pytest.mark.interop

_ROOT = Path(__file__).parents[2]
_INSIDE = sorted(Path(__file__).parent.glob("inside/test_*.py"))
_LIMIT = 500.0


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, str]]]:
    """By file, each test and what came of it: nothing, or why it failed or was skipped."""
    if (why := machine.missing()) is not None:
        pytest.skip(f"no virtual machine: {why}")
    out = tmp_path_factory.mktemp("vm")
    root = machine.BENEATH / _ROOT.relative_to("/")
    python = machine.BENEATH / Path(sys.prefix, "bin/python").relative_to("/")
    words = [
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--tb=short",
        "--durations=10",
        "--rootdir",
        root,
        "--junitxml=/mnt/out/told.xml",
    ]
    said = machine.run(
        ["env", "-C", root, python, *words, *(machine.BENEATH / f.relative_to("/") for f in _INSIDE)],
        out,
        {"ISTHMUS_IN_VM": "1", "PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        _LIMIT,
    )
    if not (out / "told.xml").exists():
        pytest.fail(f"nothing came of it in {said.seconds:.0f} s: {said.text[-4000:]}\n{said.log[-2000:]}")
    print(f"the machine took {said.seconds:.1f} s")
    return _read(out / "told.xml")


@pytest.mark.parametrize("file", _INSIDE, ids=lambda file: file.stem.removeprefix("test_"))
def test_it_holds_with_the_kernels_own_ipsec(told: dict[str, list[tuple[str, str]]], file: Path) -> None:
    found = told.get(file.stem, [])
    assert found, told
    failed = [f"{name}: {what}" for name, what in found if what and not what.startswith("skipped")]
    assert not failed, "\n".join(failed)
    if all(what for _, what in found):
        pytest.skip("; ".join(f"{name}: {what}" for name, what in found))


def _read(path: Path) -> dict[str, list[tuple[str, str]]]:
    told: dict[str, list[tuple[str, str]]] = {}
    for case in ET.parse(path).iter("testcase"):
        what = ""
        for kind in ("failure", "error", "skipped"):
            if (cause := case.find(kind)) is not None:
                what = f"{kind}: {cause.get('message')}\n{cause.text}"
        told.setdefault(case.get("classname", "").rpartition(".")[2], []).append((case.get("name", ""), what))
    return told
