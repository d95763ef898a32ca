"""ike-scan, a stranger's tool, against our IKEv1 responder: sane answers, one for each question, and no names told."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from isthmus.lab.gateways import RunningGateway
from tests.interop.bench import LEFT, Bench
from tests.interop.ours import ours
from tests.interop.pairing import THEIR_ID
from tests.interop.test_ikev1 import here

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(shutil.which("ike-scan") is None, reason="needs ike-scan"),
]

_STRONG = "--trans=(1=7,14=256,2=4,3=1,4=14)"
_GROUP = "--dhgroup=14"


@pytest.fixture
def gateway(bench: Bench, tmp_path: Path) -> Iterator[RunningGateway]:
    with ours(replace(here(mode="auto", passive=True)), bench.left, tmp_path / "ours") as running:
        running.await_answers()
        yield running


def scan(bench: Bench, *arguments: str) -> str:
    done = bench.right.run("ike-scan", "--retry=1", "--timeout=700", *arguments, str(LEFT))
    return done.stdout + done.stderr


@pytest.mark.usefixtures("gateway")
def test_main_mode_is_answered_with_what_was_offered(bench: Bench) -> None:
    told = scan(bench, _STRONG)
    assert "Main Mode Handshake returned" in told
    assert "Enc=AES" in told
    assert "Hash=SHA2-256" in told
    assert "Auth=PSK" in told
    assert "1 returned handshake; 0 returned notify" in told


@pytest.mark.usefixtures("gateway")
def test_an_offer_that_does_not_suit_is_refused_in_one_notify(bench: Bench) -> None:
    told = scan(bench, "--trans=(1=1,2=1,3=1,4=1)")
    assert "NO-PROPOSAL-CHOSEN" in told
    assert "0 returned handshake; 1 returned notify" in told


@pytest.mark.usefixtures("gateway")
def test_encryption_with_public_keys_is_refused(bench: Bench) -> None:
    assert "NO-PROPOSAL-CHOSEN" in scan(bench, "--trans=(1=7,14=256,2=4,3=4,4=14)")


@pytest.mark.usefixtures("gateway")
def test_aggressive_mode_tells_a_known_name_and_an_unknown_one_alike(bench: Bench) -> None:
    asked = "--aggressive", "--idtype=2", _STRONG, _GROUP
    known, unknown = (scan(bench, f"--id={name}", *asked) for name in (THEIR_ID, "nobody.example"))
    assert "1 returned handshake; 0 returned notify" in known
    assert _shape(known) == _shape(unknown)


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize(
    "mode", [(), ("--aggressive", "--idtype=2", f"--id={THEIR_ID}", _GROUP)], ids=["main", "aggressive"]
)
def test_it_answers_once_and_never_repeats_by_itself(bench: Bench, mode: tuple[str, ...]) -> None:
    told = scan(bench, "--showbackoff=3", _STRONG, *mode)
    pattern = told.partition("IKE Backoff Patterns")[2]
    answers = [line.split("\t")[1] for line in pattern.splitlines() if re.match(r"[\d.]+\t\d+\t", line)]
    assert answers == ["1"], told


def _shape(told: str) -> str:
    """What was answered, without what is random."""
    line = next(line for line in told.splitlines() if "Handshake returned" in line)
    return re.sub(r"CKY-R=\w+", "", line)
